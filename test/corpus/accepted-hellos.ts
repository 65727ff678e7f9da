import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  alpn,
  browserHello,
  bytesOf,
  commonExtensions,
  earlyData,
  encryptedClientHello,
  extension,
  filler,
  handshake,
  hello,
  helloBody,
  helloWith,
  keyShare,
  padding,
  preSharedKey,
  record,
  records,
  serverName,
  sessionTicket,
  supportedVersions,
} from "./hello-builder.ts";
import { packageRoot } from "./package-root.ts";

/** What a hello holds, as its maker knows it; not as the reader read it. */
export interface HelloFacts {
  readonly name: string | null;
  readonly alpn?: readonly string[];
  /** Default 0x0301, as nearly all clients write it. */
  readonly recordVersion?: number;
  /** Default 0x0303. */
  readonly legacyVersion?: number;
  /** Of supported_versions; empty where the client has no TLS 1.3. */
  readonly versions?: readonly number[];
  readonly sessionIdBytes?: number;
  /** Null (the default) without the extension, 0 where a ticket is asked for. */
  readonly ticketBytes?: number | null;
  readonly pskIdentityBytes?: readonly number[];
  readonly encryptedClientHello?: boolean;
  readonly earlyData?: boolean;
}

export interface AcceptedHello {
  readonly title: string;
  readonly bytes: Uint8Array;
  /** Where the hello ends, in bytes of the stream; default all of `bytes`. */
  readonly end?: number;
  readonly facts: HelloFacts;
}

/** A file of `captured/`: hex in lines, behind comment lines that say how it was made. */
export function capturedBytes(file: string): Uint8Array {
  const text = readFileSync(join(packageRoot(), "test/corpus/captured", `${file}.hex`), "utf8");
  const lines = text.split("\n").filter((line) => !line.startsWith("#"));
  return new Uint8Array(Buffer.from(lines.join(""), "hex"));
}

function captured(file: string, facts: HelloFacts, end?: number): AcceptedHello {
  return { title: file, bytes: capturedBytes(file), facts, ...(end === undefined ? {} : { end }) };
}

const tls13 = 0x0304;
const tls12 = 0x0303;
const allVersions = [tls13, tls12, 0x0302, 0x0301];

/** Made by `capture.ts`; the commands are in the files. */
export const capturedHellos: readonly AcceptedHello[] = [
  captured("openssl-tls1.0", { name: "old.example.test", legacyVersion: 0x0301, ticketBytes: 0 }),
  captured("openssl-tls1.1", { name: "old.example.test", legacyVersion: 0x0302, ticketBytes: 0 }),
  captured("openssl-tls1.2", { name: "www.example.test", alpn: ["h2", "http/1.1"], ticketBytes: 0 }),
  captured("openssl-tls1.2-ticket", { name: "t.example.test", sessionIdBytes: 32, ticketBytes: 176 }),
  captured("openssl-tls1.2-session-id", { name: "i.example.test", sessionIdBytes: 32 }),
  captured("openssl-tls1.3", {
    name: "www.example.test",
    alpn: ["imap"],
    versions: [tls13],
    sessionIdBytes: 32,
    ticketBytes: 0,
  }),
  captured("openssl-tls1.3-psk", {
    name: "p.example.test",
    versions: [tls13],
    sessionIdBytes: 32,
    ticketBytes: 0,
    pskIdentityBytes: [208],
  }),
  captured(
    "openssl-tls1.3-early-data",
    {
      name: "e.example.test",
      versions: [tls13],
      sessionIdBytes: 32,
      ticketBytes: 0,
      pskIdentityBytes: [32],
      earlyData: true,
    },
    347,
  ),
  captured("openssl-tls1.0-1.3-no-name", { name: null, versions: allVersions, sessionIdBytes: 32, ticketBytes: 0 }),
  captured("gnutls-tls1.0", { name: "g.example.test", legacyVersion: 0x0301, ticketBytes: 0 }),
  captured("gnutls-tls1.2", { name: "g.example.test", alpn: ["imap"], recordVersion: tls12, ticketBytes: 0 }),
  captured("gnutls-tls1.3", {
    name: "g.example.test",
    alpn: ["h2", "http/1.1"],
    versions: allVersions,
    sessionIdBytes: 32,
    ticketBytes: 0,
  }),
  captured("gnutls-tls1.3-resumed", {
    name: "g.example.test",
    versions: allVersions,
    sessionIdBytes: 32,
    ticketBytes: 0,
    pskIdentityBytes: [208],
  }),
  captured("gnutls-no-name", { name: null, versions: allVersions, sessionIdBytes: 32, ticketBytes: 0 }),
  captured("curl-h2", {
    name: "curl.example.test",
    alpn: ["h2", "http/1.1"],
    versions: allVersions,
    sessionIdBytes: 32,
  }),
  captured("curl-tls1.2-http1.1", { name: "curl.example.test", alpn: ["http/1.1"] }),
  captured("node-tls1.3", {
    name: "node.example.test",
    alpn: ["h2", "acme-tls/1"],
    versions: [tls13, tls12],
    sessionIdBytes: 32,
    ticketBytes: 0,
  }),
  captured("node-tls1.3-psk", {
    name: "node.example.test",
    versions: [tls13, tls12],
    sessionIdBytes: 32,
    ticketBytes: 0,
    pskIdentityBytes: [208],
  }),
  captured("python-tls1.3", {
    name: "py_thon.example.test",
    alpn: ["http/1.1"],
    versions: [tls13, tls12],
    sessionIdBytes: 32,
    ticketBytes: 0,
  }),
  captured("java-tls1.3", {
    name: "java.example.test",
    recordVersion: tls12,
    versions: [tls13, tls12],
    sessionIdBytes: 32,
    ticketBytes: 0,
  }),
  captured("chromium", {
    name: "chrome.example.test",
    alpn: ["h2", "http/1.1"],
    versions: [tls13, tls12],
    sessionIdBytes: 32,
    ticketBytes: 0,
    encryptedClientHello: true,
  }),
];

const postQuantum = helloWith(keyShare(0x11ec, 1216), alpn("h2"), serverName("pq.test"), supportedVersions(tls13));
const message = handshake(helloBody({ extensions: [alpn("h2"), serverName("a.test"), ...commonExtensions] }));
const longName = `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(61)}`;

/** A message of exactly `length` bytes, the name behind the padding. */
function messageOfLength(length: number): Uint8Array {
  const extensions = (fill: number) => [...commonExtensions, padding(fill), serverName("big.test")];
  const without = handshake(helloBody({ extensions: extensions(0) })).length;
  return handshake(helloBody({ extensions: extensions(length - without) }));
}

/** Made by hand, for what no client above does. */
export const builtHellos: readonly AcceptedHello[] = [
  {
    title: "without an extensions block, as in TLS 1.0",
    bytes: hello({ legacyVersion: 0x0301, extensions: null }),
    facts: { name: null, legacyVersion: 0x0301 },
  },
  { title: "with an empty extensions block", bytes: helloWith(), facts: { name: null } },
  {
    title: "of SSL 3.0",
    bytes: records(handshake(helloBody({ legacyVersion: 0x0300, extensions: null })), 2 ** 14, 0x0300),
    facts: { name: null, recordVersion: 0x0300, legacyVersion: 0x0300 },
  },
  {
    title: "of a version that is not there yet",
    bytes: hello({ legacyVersion: 0x0405 }),
    facts: { name: "a.test", legacyVersion: 0x0405 },
  },
  {
    title: "name in upper case with a trailing dot",
    bytes: helloWith(serverName("WWW.Example.TEST.")),
    facts: { name: "www.example.test" },
  },
  { title: "an IPv4 literal is a name", bytes: helloWith(serverName("192.0.2.1")), facts: { name: "192.0.2.1" } },
  {
    title: "an IPv6 literal is a name",
    bytes: helloWith(serverName("[2001:db8::1]")),
    facts: { name: "[2001:db8::1]" },
  },
  {
    title: "an underscore is part of a name",
    bytes: helloWith(serverName("_dmarc.a_b.test")),
    facts: { name: "_dmarc.a_b.test" },
  },
  {
    title: "nothing is percent-decoded",
    bytes: helloWith(serverName("a%2eb%00.test")),
    facts: { name: "a%2eb%00.test" },
  },
  { title: "a name of 253 bytes", bytes: helloWith(serverName(longName)), facts: { name: longName } },
  { title: "a name of 253 bytes and a dot", bytes: helloWith(serverName(`${longName}.`)), facts: { name: longName } },
  {
    title: "a session id of 32 bytes",
    bytes: hello({ sessionId: filler(32) }),
    facts: { name: "a.test", sessionIdBytes: 32 },
  },
  {
    title: "GREASE everywhere, the name last",
    bytes: helloWith(
      extension(0x0a0a),
      alpn("\u{a}\u{a}", "h2", "\u{fa}\u{fa}", "\u{a}\u{1a}"),
      supportedVersions(0xdada, tls13, 0x0a1a),
      extension(0xfafa, filler(1)),
      serverName("a.test"),
    ),
    facts: { name: "a.test", alpn: ["h2", "\u{a}\u{1a}"], versions: [tls13, 0x0a1a] },
  },
  {
    title: "a post-quantum key share, the name behind it",
    bytes: postQuantum,
    facts: { name: "pq.test", alpn: ["h2"], versions: [tls13] },
  },
  {
    title: "as a browser sends it",
    bytes: browserHello("browser.test"),
    facts: {
      name: "browser.test",
      alpn: ["h2", "http/1.1"],
      versions: [tls13, tls12],
      sessionIdBytes: 32,
      ticketBytes: 0,
      encryptedClientHello: true,
    },
  },
  {
    title: "ECH, without a name",
    bytes: helloWith(encryptedClientHello()),
    facts: { name: null, encryptedClientHello: true },
  },
  {
    title: "a ticket, three PSK identities and early data",
    bytes: helloWith(
      serverName("a.test"),
      sessionTicket(filler(176)),
      earlyData,
      preSharedKey(filler(1), filler(208), filler(1000)),
    ),
    facts: { name: "a.test", ticketBytes: 176, pskIdentityBytes: [1, 208, 1000], earlyData: true },
  },
  {
    title: "128 extensions",
    bytes: helloWith(...Array.from({ length: 127 }, (_, index) => extension(0x4000 + index)), serverName("a.test")),
    facts: { name: "a.test" },
  },
  { title: "in records of one byte", bytes: records(message, 1), facts: { name: "a.test", alpn: ["h2"] } },
  { title: "in records of three bytes", bytes: records(message, 3), facts: { name: "a.test", alpn: ["h2"] } },
  {
    title: "in two records, cut inside the message's header",
    bytes: bytesOf(record(message.subarray(0, 2)), record(message.subarray(2), tls12)),
    facts: { name: "a.test", alpn: ["h2"] },
  },
  {
    title: "in two records, cut behind the message's header",
    bytes: bytesOf(record(message.subarray(0, 4)), record(message.subarray(4))),
    facts: { name: "a.test", alpn: ["h2"] },
  },
  {
    title: "in two records, the second of one byte",
    bytes: bytesOf(record(message.subarray(0, -1)), record(message.subarray(-1))),
    facts: { name: "a.test", alpn: ["h2"] },
  },
  {
    title: "of 16 KiB, as long as the default allows",
    bytes: records(messageOfLength(16_384)),
    facts: { name: "big.test" },
  },
  {
    title: "of 16 KiB in records of 100 bytes",
    bytes: records(messageOfLength(16_384), 100),
    facts: { name: "big.test" },
  },
  {
    title: "with an application data record behind it",
    bytes: bytesOf(records(message), record(filler(60), tls12, 23)),
    end: message.length + 5,
    facts: { name: "a.test", alpn: ["h2"] },
  },
  {
    title: "with what is no record behind it",
    bytes: bytesOf(records(message), filler(30)),
    end: message.length + 5,
    facts: { name: "a.test", alpn: ["h2"] },
  },
];

export const acceptedHellos: readonly AcceptedHello[] = [...capturedHellos, ...builtHellos];
