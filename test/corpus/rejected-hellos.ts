import type { HelloRejection } from "../../model/reason.ts";
import {
  alpn,
  bytesOf,
  type Extension,
  earlyData,
  extension,
  extensionsBlock,
  filler,
  handshake,
  hello,
  helloBody,
  helloWith,
  latin1,
  preSharedKey,
  record,
  records,
  serverName,
  serverNameEntry,
  serverNameList,
  sslv2Hello,
  supportedVersions,
  uint16Bytes,
} from "./hello-builder.ts";

export interface RejectedHello {
  readonly title: string;
  readonly bytes: Uint8Array;
  readonly reason: HelloRejection;
  /** For the alert; default 0x0303, the legacy_version of the builder's hellos. */
  readonly recordVersion?: number;
  /** How many bytes it takes to tell; default all of them. */
  readonly decidedAt?: number;
}

/** The hello of the body with its last bytes replaced by an extensions block that is written by hand. */
function bodyWith(block: Uint8Array): Uint8Array {
  return records(handshake(bytesOf(helloBody({ extensions: null }), block)));
}

function named(name: string): Uint8Array {
  return helloWith(alpn("h2"), serverName(name));
}

function sni(...data: readonly (number | Uint8Array)[]): Uint8Array {
  return helloWith(extension(0, bytesOf(...data)));
}

/** A body whose byte at `at` is another. */
function patched(
  at: number,
  value: number,
  extensions: readonly Extension[] | null = [serverName("a.test")],
): Uint8Array {
  const body = helloBody({ extensions });
  body[at] = value;
  return records(handshake(body));
}

const good = hello();
const message = handshake(helloBody());
const sessionIdLengthAt = 34;
const suitesLengthAt = 35;
const compressionLengthAt = suitesLengthAt + 2 + 14;
const long = "l".repeat(64);
const name254 = `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(62)}`;

/** Every reason of the closed set, and for each what an attacker or a broken client would send. */
export const rejectedHellos: readonly RejectedHello[] = [
  // not_tls
  {
    title: "an HTTP request",
    bytes: latin1("GET / HTTP/1.1\r\n\r\n"),
    reason: "not_tls",
    recordVersion: 0,
    decidedAt: 1,
  },
  {
    title: "an SSH banner",
    bytes: latin1("SSH-2.0-OpenSSH_9.2\r\n"),
    reason: "not_tls",
    recordVersion: 0,
    decidedAt: 1,
  },
  {
    title: "a PROXY protocol v2 header",
    bytes: latin1("\r\n\r\n\0\r\nQUIT\n"),
    reason: "not_tls",
    recordVersion: 0,
    decidedAt: 1,
  },
  {
    title: "a content type below those that exist",
    bytes: record(message, 0x0301, 19),
    reason: "not_tls",
    recordVersion: 0,
    decidedAt: 1,
  },
  {
    title: "a content type above those that exist",
    bytes: record(message, 0x0301, 25),
    reason: "not_tls",
    recordVersion: 0,
    decidedAt: 1,
  },
  {
    title: "a record of major version 2",
    bytes: record(message, 0x0201),
    reason: "not_tls",
    recordVersion: 0,
    decidedAt: 2,
  },
  {
    title: "a record of major version 4",
    bytes: record(message, 0x0401),
    reason: "not_tls",
    recordVersion: 0,
    decidedAt: 2,
  },
  { title: "DTLS", bytes: record(message, 0xfefd), reason: "not_tls", recordVersion: 0, decidedAt: 2 },
  {
    title: "an alert's type without its version",
    bytes: latin1("\u{15}hello"),
    reason: "not_tls",
    recordVersion: 0,
    decidedAt: 2,
  },
  {
    title: "the SSLv2 form, shorter than its fields",
    bytes: Uint8Array.of(0x80, 8, 1, 3, 1),
    reason: "not_tls",
    recordVersion: 0,
    decidedAt: 2,
  },
  {
    title: "the SSLv2 form of another message",
    bytes: Uint8Array.of(0x80, 46, 2, 3, 1),
    reason: "not_tls",
    recordVersion: 0,
    decidedAt: 3,
  },
  {
    title: "the SSLv2 form of version 1",
    bytes: Uint8Array.of(0x80, 46, 1, 1, 0),
    reason: "not_tls",
    recordVersion: 0,
    decidedAt: 4,
  },
  {
    title: "the SSLv2 form of version 0.3",
    bytes: Uint8Array.of(0x80, 46, 1, 0, 3),
    reason: "not_tls",
    recordVersion: 0,
    decidedAt: 5,
  },
  // sslv2_hello
  {
    title: "an SSLv2-format hello for TLS 1.0",
    bytes: sslv2Hello(0x0301),
    reason: "sslv2_hello",
    recordVersion: 0x0301,
    decidedAt: 5,
  },
  {
    title: "an SSLv2-format hello for TLS 1.2",
    bytes: sslv2Hello(0x0303),
    reason: "sslv2_hello",
    recordVersion: 0x0303,
    decidedAt: 5,
  },
  {
    title: "an SSLv2-format hello for SSL 3.0",
    bytes: sslv2Hello(0x0300),
    reason: "sslv2_hello",
    recordVersion: 0x0301,
    decidedAt: 5,
  },
  { title: "a hello of SSL 2.0", bytes: sslv2Hello(0x0002), reason: "sslv2_hello", recordVersion: 0, decidedAt: 5 },
  // hello_not_first
  {
    title: "an alert first",
    bytes: bytesOf(record(Uint8Array.of(1, 0), 0x0302, 21), good),
    reason: "hello_not_first",
    recordVersion: 0x0302,
    decidedAt: 3,
  },
  {
    title: "change_cipher_spec first",
    bytes: bytesOf(record(Uint8Array.of(1), 0x0303, 20), good),
    reason: "hello_not_first",
    decidedAt: 3,
  },
  { title: "application data first", bytes: record(filler(20), 0x0304, 23), reason: "hello_not_first", decidedAt: 3 },
  {
    title: "a heartbeat first",
    bytes: record(filler(20), 0x0300, 24),
    reason: "hello_not_first",
    recordVersion: 0x0301,
    decidedAt: 3,
  },
  {
    title: "a ServerHello",
    bytes: records(handshake(filler(70), 2)),
    reason: "hello_not_first",
    recordVersion: 0x0301,
    decidedAt: 6,
  },
  {
    title: "a HelloRequest",
    bytes: records(handshake(new Uint8Array(0), 0)),
    reason: "hello_not_first",
    recordVersion: 0x0301,
    decidedAt: 6,
  },
  // hello_record
  {
    title: "an empty record first",
    bytes: bytesOf(record(new Uint8Array(0)), good),
    reason: "hello_record",
    recordVersion: 0x0301,
    decidedAt: 5,
  },
  {
    title: "a record of over 2^14 bytes",
    bytes: record(message, 0x0303, 22, 2 ** 14 + 1),
    reason: "hello_record",
    decidedAt: 5,
  },
  {
    title: "an empty record amid the hello",
    bytes: bytesOf(record(message.subarray(0, 9)), record(new Uint8Array(0)), record(message.subarray(9))),
    reason: "hello_record",
    recordVersion: 0x0301,
    decidedAt: 19,
  },
  {
    title: "an alert amid the hello",
    bytes: bytesOf(record(message.subarray(0, 9)), record(Uint8Array.of(1, 0), 0x0301, 21)),
    reason: "hello_record",
    recordVersion: 0x0301,
    decidedAt: 17,
  },
  {
    title: "application data amid the hello",
    bytes: bytesOf(record(message.subarray(0, 9)), record(message.subarray(9), 0x0301, 23)),
    reason: "hello_record",
    recordVersion: 0x0301,
    decidedAt: 17,
  },
  {
    title: "what is no record amid the hello",
    bytes: bytesOf(record(message.subarray(0, 9)), latin1("GET /")),
    reason: "hello_record",
    recordVersion: 0x0301,
    decidedAt: 15,
  },
  {
    title: "another major version amid the hello",
    bytes: bytesOf(record(message.subarray(0, 9)), record(message.subarray(9), 0x0201)),
    reason: "hello_record",
    recordVersion: 0x0301,
    decidedAt: 16,
  },
  {
    title: "a second message in the hello's record",
    bytes: record(bytesOf(message, message)),
    reason: "hello_record",
    recordVersion: 0x0301,
    decidedAt: 9,
  },
  {
    title: "a byte behind the hello in its last record",
    bytes: bytesOf(record(message.subarray(0, 9)), record(bytesOf(message.subarray(9), 0))),
    reason: "hello_record",
    recordVersion: 0x0301,
    decidedAt: 19,
  },
  // hello_too_big
  {
    title: "one byte longer than allowed",
    bytes: records(handshake(filler(16_384 - 3), 1)),
    reason: "hello_too_big",
    recordVersion: 0x0301,
    decidedAt: 9,
  },
  {
    title: "16 MiB announced",
    bytes: record(handshake(filler(100), 1, 2 ** 24 - 1), 0x0303),
    reason: "hello_too_big",
    decidedAt: 9,
  },
  // hello_malformed
  {
    title: "an empty body",
    bytes: records(handshake(new Uint8Array(0))),
    reason: "hello_malformed",
    recordVersion: 0x0301,
  },
  {
    title: "a body of one byte",
    bytes: records(handshake(Uint8Array.of(3))),
    reason: "hello_malformed",
    recordVersion: 0x0301,
  },
  { title: "cut inside the random", bytes: records(handshake(helloBody().subarray(0, 20))), reason: "hello_malformed" },
  {
    title: "cut before the session id's length",
    bytes: records(handshake(helloBody().subarray(0, 34))),
    reason: "hello_malformed",
  },
  {
    title: "cut behind the session id's length",
    bytes: records(handshake(helloBody().subarray(0, 35))),
    reason: "hello_malformed",
  },
  {
    title: "a session id that reaches beyond the body",
    bytes: records(handshake(bytesOf(helloBody().subarray(0, 34), 32, filler(31)))),
    reason: "hello_malformed",
  },
  { title: "no cipher suites", bytes: hello({ cipherSuites: [] }), reason: "hello_malformed" },
  { title: "half a cipher suite", bytes: patched(suitesLengthAt + 1, 13), reason: "hello_malformed" },
  {
    title: "cipher suites that fill the body",
    bytes: records(handshake(helloBody().subarray(0, compressionLengthAt))),
    reason: "hello_malformed",
  },
  {
    title: "cipher suites that reach beyond the body",
    bytes: patched(suitesLengthAt, 0x40),
    reason: "hello_malformed",
  },
  {
    title: "no compression method",
    bytes: hello({ compressionMethods: new Uint8Array(0) }),
    reason: "hello_malformed",
  },
  {
    title: "compression methods that reach beyond the body",
    bytes: patched(compressionLengthAt, 200),
    reason: "hello_malformed",
  },
  { title: "one byte behind the compression methods", bytes: bodyWith(Uint8Array.of(0)), reason: "hello_malformed" },
  {
    title: "extensions longer than the body",
    bytes: bodyWith(extensionsBlock([serverName("a.test")], 20)),
    reason: "hello_malformed",
  },
  {
    title: "bytes behind the extensions",
    bytes: bodyWith(bytesOf(extensionsBlock([serverName("a.test")]), 0)),
    reason: "hello_malformed",
  },
  { title: "an extension's header cut", bytes: bodyWith(bytesOf(0, 3, 0, 16, 0)), reason: "hello_malformed" },
  {
    title: "an extension that reaches beyond the block",
    bytes: helloWith({ ...extension(99, filler(3)), declaredLength: 4 }),
    reason: "hello_malformed",
  },
  {
    title: "an extension shorter than its data",
    bytes: helloWith({ ...serverName("a.test"), declaredLength: 10 }),
    reason: "hello_malformed",
  },
  {
    title: "129 extensions",
    bytes: helloWith(...Array.from({ length: 129 }, (_, index) => extension(0x4000 + index))),
    reason: "hello_malformed",
  },
  { title: "server_name without data, as only a server sends it", bytes: sni(), reason: "hello_malformed" },
  { title: "server_name with an empty list", bytes: helloWith(serverNameList()), reason: "hello_malformed" },
  {
    title: "server_name with a cut entry",
    bytes: helloWith(serverNameList(Uint8Array.of(0, 0))),
    reason: "hello_malformed",
  },
  {
    title: "server_name's list longer than the extension",
    bytes: sni(0, 10, serverNameEntry("a.test")),
    reason: "hello_malformed",
  },
  {
    title: "server_name's list shorter than the extension",
    bytes: sni(0, 8, serverNameEntry("a.test")),
    reason: "hello_malformed",
  },
  { title: "a name longer than its list", bytes: sni(0, 9, 0, 0, 7, latin1("a.test")), reason: "hello_malformed" },
  { title: "a name shorter than its list", bytes: sni(0, 9, 0, 0, 5, latin1("a.test")), reason: "hello_malformed" },
  {
    title: "a second name that is cut",
    bytes: sni(0, 13, serverNameEntry("a.test"), 0, 0, 2, 0x61),
    reason: "hello_malformed",
  },
  { title: "ALPN without data", bytes: helloWith(extension(16)), reason: "hello_malformed" },
  { title: "ALPN with an empty list", bytes: helloWith(alpn()), reason: "hello_malformed" },
  { title: "ALPN with an empty protocol", bytes: helloWith(alpn("h2", "")), reason: "hello_malformed" },
  {
    title: "ALPN whose list is longer than the extension",
    bytes: helloWith(extension(16, bytesOf(0, 4, 2, latin1("h2")))),
    reason: "hello_malformed",
  },
  {
    title: "ALPN with a protocol that reaches beyond the list",
    bytes: helloWith(extension(16, bytesOf(0, 3, 3, latin1("h2")))),
    reason: "hello_malformed",
  },
  { title: "early_data with data", bytes: helloWith({ ...earlyData, data: filler(4) }), reason: "hello_malformed" },
  { title: "supported_versions without data", bytes: helloWith(extension(43)), reason: "hello_malformed" },
  { title: "supported_versions with an empty list", bytes: helloWith(supportedVersions()), reason: "hello_malformed" },
  {
    title: "supported_versions with half a version",
    bytes: helloWith(extension(43, Uint8Array.of(3, 3, 4, 3))),
    reason: "hello_malformed",
  },
  {
    title: "supported_versions whose list is too short",
    bytes: helloWith(extension(43, Uint8Array.of(2, 3, 4, 3, 3))),
    reason: "hello_malformed",
  },
  { title: "pre_shared_key without data", bytes: helloWith(extension(41)), reason: "hello_malformed" },
  { title: "pre_shared_key without identities", bytes: helloWith(preSharedKey()), reason: "hello_malformed" },
  {
    title: "pre_shared_key with an empty identity",
    bytes: helloWith(preSharedKey(new Uint8Array(0))),
    reason: "hello_malformed",
  },
  {
    title: "pre_shared_key without binders",
    bytes: helloWith(extension(41, bytesOf(0, 7, 0, 1, 9, filler(4)))),
    reason: "hello_malformed",
  },
  {
    title: "pre_shared_key with an empty list of binders",
    bytes: helloWith(extension(41, bytesOf(0, 7, 0, 1, 9, filler(4), 0, 0))),
    reason: "hello_malformed",
  },
  {
    title: "pre_shared_key with a short binder",
    bytes: helloWith(extension(41, bytesOf(0, 7, 0, 1, 9, filler(4), 0, 32, 31, filler(31)))),
    reason: "hello_malformed",
  },
  {
    title: "pre_shared_key with a binder too many",
    bytes: helloWith(extension(41, bytesOf(0, 7, 0, 1, 9, filler(4), 0, 66, 32, filler(32), 32, filler(32)))),
    reason: "hello_malformed",
  },
  {
    title: "pre_shared_key with a binder that is cut",
    bytes: helloWith(extension(41, bytesOf(0, 7, 0, 1, 9, filler(4), 0, 33, 33, filler(32)))),
    reason: "hello_malformed",
  },
  {
    title: "pre_shared_key with an identity that is cut",
    bytes: helloWith(extension(41, bytesOf(0, 7, 0, 9, 9, filler(4), 0, 33, 32, filler(32)))),
    reason: "hello_malformed",
  },
  {
    title: "pre_shared_key with one byte behind the identities",
    bytes: helloWith(extension(41, bytesOf(0, 8, 0, 1, 9, filler(4), 0, 0, 33, 32, filler(32)))),
    reason: "hello_malformed",
  },
  {
    title: "pre_shared_key whose identities reach beyond it",
    bytes: helloWith(extension(41, bytesOf(0, 60, 0, 1, 9, filler(4), 0, 33, 32, filler(32)))),
    reason: "hello_malformed",
  },
  // hello_session_id
  { title: "a session id of 33 bytes", bytes: hello({ sessionId: filler(33) }), reason: "hello_session_id" },
  {
    title: "a session id of 255 bytes in a short body",
    bytes: patched(sessionIdLengthAt, 255),
    reason: "hello_session_id",
  },
  {
    title: "a session id of 33 bytes in TLS 1.1",
    bytes: hello({ legacyVersion: 0x0302, sessionId: filler(33) }),
    reason: "hello_session_id",
    recordVersion: 0x0302,
  },
  {
    title: "a session id of 33 bytes in SSL 3.0",
    bytes: hello({ legacyVersion: 0x0300, sessionId: filler(33) }),
    reason: "hello_session_id",
    recordVersion: 0x0301,
  },
  {
    title: "a session id of 33 bytes in a version of the future",
    bytes: hello({ legacyVersion: 0x0405, sessionId: filler(33) }),
    reason: "hello_session_id",
  },
  // hello_duplicate_extension
  {
    title: "two SNI extensions",
    bytes: helloWith(serverName("a.test"), serverName("b.test")),
    reason: "hello_duplicate_extension",
  },
  {
    title: "two SNI extensions of the same name, apart",
    bytes: helloWith(serverName("a.test"), alpn("h2"), serverName("a.test")),
    reason: "hello_duplicate_extension",
  },
  { title: "two ALPN extensions", bytes: helloWith(alpn("h2"), alpn("http/1.1")), reason: "hello_duplicate_extension" },
  {
    title: "two of a type that nobody knows",
    bytes: helloWith(extension(0x7777), extension(0x0a0a), extension(0x7777)),
    reason: "hello_duplicate_extension",
  },
  // hello_psk_not_last
  {
    title: "pre_shared_key before another",
    bytes: helloWith(preSharedKey(filler(208)), serverName("a.test")),
    reason: "hello_psk_not_last",
  },
  // name_two
  {
    title: "two names in one list",
    bytes: helloWith(serverNameList(serverNameEntry("a.test"), serverNameEntry("b.test"))),
    reason: "name_two",
  },
  {
    title: "a second entry of another type",
    bytes: helloWith(serverNameList(serverNameEntry("a.test"), serverNameEntry("b.test", 1))),
    reason: "name_two",
  },
  {
    title: "an empty second name",
    bytes: helloWith(serverNameList(serverNameEntry("a.test"), serverNameEntry(""))),
    reason: "name_two",
  },
  // name_type
  {
    title: "a first entry that is no host name",
    bytes: helloWith(serverNameList(serverNameEntry("a.test", 1))),
    reason: "name_type",
  },
  {
    title: "a host name behind another type",
    bytes: helloWith(serverNameList(serverNameEntry("x", 255), serverNameEntry("a.test"))),
    reason: "name_type",
  },
  // name_empty
  { title: "an empty name", bytes: named(""), reason: "name_empty" },
  { title: "a dot for a name", bytes: named("."), reason: "name_empty" },
  // name_too_long
  { title: "a name of 254 bytes", bytes: named(name254), reason: "name_too_long" },
  { title: "a name of 16,000 bytes", bytes: named("a".repeat(16_000)), reason: "name_too_long" },
  // name_character
  ...[
    "a.test\0.b.test",
    "a.test\n",
    "a test",
    " a.test",
    "a\t.test",
    "m\u{fc}nchen.test",
    "a\u{7f}.test",
    "\u{1b}[31m.test",
  ].map(
    (name): RejectedHello => ({
      title: `the name ${JSON.stringify(name)}`,
      bytes: named(name),
      reason: "name_character",
    }),
  ),
  // name_label_length
  { title: "a label of 64 bytes", bytes: named(`${long}.test`), reason: "name_label_length" },
  { title: "an empty label", bytes: named("a..test"), reason: "name_label_length" },
  { title: "an empty first label", bytes: named(".test"), reason: "name_label_length" },
  { title: "two trailing dots", bytes: named("a.test.."), reason: "name_label_length" },
  {
    title: "an extension number's bytes do not make a name valid",
    bytes: helloWith(extension(0, bytesOf(uint16Bytes(6), 0, uint16Bytes(3), latin1("..a")))),
    reason: "name_label_length",
  },
];
