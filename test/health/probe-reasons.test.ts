import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { generate } from "selfsigned";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { joinSocketAddress, type SocketAddress } from "../../model/address.ts";
import type { Probe } from "../../model/farm-policy.ts";
import type { HealthReason } from "../../model/health-reason.ts";
import { SilentListener } from "../support/silent-listener.ts";
import { type TestCertificate, testCertificate } from "../support/test-certificate.ts";
import { https, runProbe, tcp, tls } from "./run-probe.ts";
import { ToolServer } from "./tool-server.ts";

/** Short, for what is never answered; long enough that a busy machine gets as far as it should. */
const shortMs = 400;

const closers: (() => Promise<void>)[] = [];
let certificate: TestCertificate;
let expired: TestCertificate;
let otherCertificate: TestCertificate;

beforeAll(async () => {
  certificate = await testCertificate("a.test");
  otherCertificate = await testCertificate("b.test");
  const made = await generate([{ name: "commonName", value: "a.test" }], {
    notBeforeDate: new Date("2020-01-01"),
    notAfterDate: new Date("2021-01-01"),
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: "a.test" }] }],
  });
  expired = { key: made.private, cert: made.cert };
});

const sockets = new Set<Socket>();

afterEach(() => {
  for (const socket of sockets) socket.destroy();
});
afterAll(async () => {
  for (const close of closers) await close();
});

/** A TCP server that does something to each connection. */
async function listening(server: Server): Promise<SocketAddress> {
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
  });
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  closers.push(async () => {
    server.close();
    await once(server, "close");
  });
  return joinSocketAddress("127.0.0.1", (server.address() as AddressInfo).port);
}

async function doing(what: (socket: Socket) => void): Promise<SocketAddress> {
  return listening(createServer((socket) => what(socket)));
}

/** A TLS server that answers a request with the text, or keeps silent. */
async function answering(text: string | null, { key, cert } = certificate): Promise<SocketAddress> {
  return listening(
    createTlsServer({ key, cert }, (socket) => {
      socket.on("error", () => socket.destroy());
      socket.once("data", () => text !== null && socket.end(text));
    }),
  );
}

async function refusing(): Promise<SocketAddress> {
  const server = createServer().listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return joinSocketAddress("127.0.0.1", port);
}

async function openssl(...more: string[]): Promise<SocketAddress> {
  const server = await ToolServer.start({
    command: "openssl",
    debianPackage: "openssl",
    files: () => ({ "key.pem": certificate.key, "cert.pem": certificate.cert }),
    args: (port) =>
      ["s_server", "-accept", `127.0.0.1:${port}`, "-key", "key.pem", "-cert", "cert.pem", "-quiet"].concat(more),
  });
  closers.push(() => server.stop());
  return server.address;
}

/** A ServerHello of SSLv3: nobody still serves that, so it is written down. */
const ssl3ServerHello = Buffer.concat([
  Buffer.from([0x16, 3, 0, 0, 42, 2, 0, 0, 38, 3, 0]),
  Buffer.alloc(32, 7),
  Buffer.from([0, 0, 0x2f, 0]),
]);

interface Fall {
  readonly reason: HealthReason;
  readonly of: string;
  readonly server: () => Promise<SocketAddress>;
  readonly probe: () => Probe;
  readonly detail: RegExp;
  readonly timeoutMs?: number;
}

const verified = (): Probe => tls({ serverName: "a.test", verify: true, caCertificates: certificate.cert });

const falls: readonly Fall[] = [
  { reason: "connect_refused", of: "a closed port", server: refusing, probe: () => tcp, detail: /^ECONNREFUSED$/ },
  {
    reason: "connect_timeout",
    of: "a listener whose queue is full",
    server: async () => {
      const listener = await SilentListener.listen();
      closers.push(() => listener.close());
      return listener.address;
    },
    probe: () => tls(),
    timeoutMs: shortMs,
    detail: /^not connected in time$/,
  },
  {
    reason: "connect_unreachable",
    of: "the broadcast address, to which TCP has no way",
    server: async () => joinSocketAddress("255.255.255.255", 443),
    probe: () => tcp,
    detail: /^ENETUNREACH$/,
  },
  {
    reason: "connect_reset",
    of: "a server that resets what it accepts",
    server: () => doing((socket) => socket.once("data", () => socket.resetAndDestroy())),
    probe: () => tls(),
    detail: /reset amid the TLS handshake/,
  },
  {
    reason: "tls_timeout",
    of: "a server that says nothing",
    server: () => doing(() => undefined),
    probe: () => tls(),
    timeoutMs: shortMs,
    detail: /^no TLS handshake in time$/,
  },
  {
    reason: "tls_timeout",
    of: "a server that says something now and then: the limit is for the whole check",
    server: () =>
      doing((socket) => {
        let sent = 0;
        const timer = setInterval(() => socket.write(Buffer.from([[0x16, 3, 3, 0x3f, 0xff][sent++] ?? 2])), 20);
        socket.once("close", () => clearInterval(timer));
      }),
    probe: () => tls(),
    timeoutMs: shortMs,
    detail: /^no TLS handshake in time$/,
  },
  {
    reason: "tls_alert",
    of: "a server of TLS 1.1 only",
    server: () => openssl("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"),
    probe: () => tls(),
    detail: /^protocol_version$/,
  },
  {
    reason: "tls_alert",
    of: "a server that does not know the name",
    server: () => openssl("-servername", "other.test", "-servername_fatal", "-cert2", "cert.pem", "-key2", "key.pem"),
    probe: () => tls({ serverName: "a.test" }),
    detail: /^unrecognized_name$/,
  },
  {
    reason: "tls_alert",
    of: "a server of TLS 1.3 only, which is asked for TLS 1.2",
    server: () => openssl("-tls1_3"),
    probe: () => tls({ maxVersion: "TLSv1.2" }),
    detail: /^protocol_version$/,
  },
  {
    reason: "tls_alert",
    of: "a server that wants a certificate, with TLS 1.2",
    server: () => openssl("-Verify", "1"),
    probe: () => tls({ maxVersion: "TLSv1.2" }),
    detail: /^handshake_failure$/,
  },
  {
    reason: "tls_alert",
    of: "a server that wants a certificate, by its answer to a request",
    server: () => openssl("-Verify", "1"),
    probe: () => https(),
    detail: /^certificate_required$/,
  },
  {
    reason: "tls_protocol",
    of: "a server of SSLv3",
    server: () => doing((socket) => socket.once("data", () => socket.write(ssl3ServerHello))),
    probe: () => tls(),
    detail: /version|protocol/,
  },
  {
    reason: "tls_protocol",
    of: "a server that speaks HTTP in clear",
    server: () => doing((socket) => socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))),
    probe: () => tls(),
    detail: /wrong version number/,
  },
  {
    reason: "tls_protocol",
    of: "a server that hangs up",
    server: () => doing((socket) => socket.once("data", () => socket.end())),
    probe: () => tls(),
    detail: /^ended amid the TLS handshake$/,
  },
  {
    reason: "certificate_expired",
    of: "a certificate of 2020",
    server: () => answering(null, expired),
    probe: () => tls({ serverName: "a.test", verify: true, caCertificates: expired.cert }),
    detail: /^valid until 2021-01-01T00:00:00\.000Z$/,
  },
  {
    reason: "certificate_name",
    of: "a certificate for another name",
    server: () => answering(null, otherCertificate),
    probe: () => tls({ serverName: "a.test", verify: true, caCertificates: otherCertificate.cert }),
    detail: /^not for a\.test, but DNS:b\.test$/,
  },
  {
    reason: "certificate_untrusted",
    of: "a certificate that signed itself",
    server: () => answering(null, otherCertificate),
    probe: verified,
    detail: /^DEPTH_ZERO_SELF_SIGNED_CERT$/,
  },
  {
    reason: "certificate_untrusted",
    of: "certificates to trust that can't be read",
    server: refusing,
    probe: () => tls({ verify: true, caCertificates: "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n" }),
    detail: /^ca_certificates: /,
  },
  {
    reason: "http_timeout",
    of: "a server that does not answer",
    server: () => answering(null),
    probe: () => https(),
    timeoutMs: 1000,
    detail: /^no HTTP status in time$/,
  },
  {
    reason: "http_status",
    of: "a server that is out of service",
    server: () => answering("HTTP/1.1 503 Service Unavailable\r\n\r\n"),
    probe: () => https(),
    detail: /^503$/,
  },
  {
    reason: "http_protocol",
    of: "a server that speaks SMTP",
    server: () => answering("220 mail.a.test ESMTP\r\n"),
    probe: () => https(),
    detail: /^it answered "220 mail/,
  },
  {
    reason: "http_protocol",
    of: "a server that ends amid the status",
    server: () => answering("HTTP/1.1 2"),
    probe: () => https(),
    detail: /^ended amid the HTTP answer$/,
  },
  {
    reason: "http_protocol",
    of: "a server that never ends its interim answers",
    server: () => answering("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(2000)),
    probe: () => https(),
    detail: /^more than 16384 bytes/,
  },
];

describe("a check says", () => {
  it.each(falls)("$reason of $of", async ({ reason, server, probe, detail, timeoutMs }) => {
    const limit = timeoutMs === undefined ? {} : { timeoutMs };
    for (const { result } of await runProbe(await server(), probe(), limit)) {
      expect(result).toMatchObject({ passed: false, reason });
      expect(!result.passed && result.detail).toMatch(detail);
    }
  });

  it("local_limit where this process has no descriptor left", async () => {
    const address = await answering(null);
    const setLimit = (soft: string): void => {
      // By util-linux, as Node can't change its own.
      execFileSync("prlimit", ["--pid", String(process.pid), `--nofile=${soft}:`]);
    };
    // A thread has descriptors of its own, and is there before they are gone.
    await runProbe(address, tls());
    const before = execFileSync("prlimit", ["--pid", String(process.pid), "--nofile", "-o", "SOFT", "--noheadings"]);
    const held: number[] = [];
    /** Takes all that are left; gives how many that were. */
    const takeAll = (): number => {
      const had = held.length;
      try {
        for (;;) held.push(openSync("/dev/null", "r"));
      } catch (cause) {
        expect(cause).toMatchObject({ code: "EMFILE" });
        return held.length - had;
      }
    };
    setLimit("400");
    takeAll();
    let outcomes = await runProbe(address, tls(), { timeoutMs: 1000 });
    // What this process closes on the side may have given the check one.
    while (takeAll() > 0) outcomes = await runProbe(address, tls(), { timeoutMs: 1000 });
    for (const descriptor of held) closeSync(descriptor);
    setLimit(before.toString().trim());
    for (const { result } of outcomes)
      expect(result).toMatchObject({ passed: false, reason: "local_limit", detail: "EMFILE" });
  });
});
