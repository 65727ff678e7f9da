import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { localProxyHeader } from "../../dataplane/hello/proxy-header-bytes.ts";
import { joinSocketAddress, type SocketAddress, splitSocketAddress } from "../../model/address.ts";
import type { Probe } from "../../model/farm-policy.ts";
import { PeerServer } from "../support/peer-server.ts";
import { type TestCertificate, testCertificate } from "../support/test-certificate.ts";
import { https, runProbe, tcp, tls } from "./run-probe.ts";
import { ToolServer } from "./tool-server.ts";

let certificate: TestCertificate;
const servers = new Map<string, ToolServer>();

/** Each of these is started once; names are those that the tables use. */
const programs: Readonly<Record<string, () => Promise<ToolServer>>> = {
  "openssl, TLS 1.2": () => openssl("-tls1_2"),
  "openssl, TLS 1.2 without tickets": () => openssl("-tls1_2", "-no_ticket"),
  "openssl, TLS 1.3": () => openssl("-tls1_3"),
  "openssl, with client certificates": () => openssl("-tls1_3", "-Verify", "1"),
  "openssl, another first group": () => openssl("-tls1_3", "-groups", "P-384"),
  gnutls: () => {
    const args = (port: number): string[] =>
      `--port=${port} --x509keyfile=key.pem --x509certfile=cert.pem --http`.split(" ");
    return started("gnutls-serv", "gnutls-bin", args);
  },
  nginx: () => nginx(""),
  "nginx, behind PROXY": () => nginx(" proxy_protocol"),
  haproxy: () => haproxy(""),
  "haproxy, behind PROXY": () => haproxy(" accept-proxy"),
};

beforeAll(async () => {
  certificate = await testCertificate("a.test");
  for (const [name, start] of Object.entries(programs)) servers.set(name, await start());
});

afterAll(async () => {
  for (const server of servers.values()) await server.stop();
});

async function started(
  command: string,
  debianPackage: string,
  args: (port: number) => readonly string[],
  files: (port: number) => Readonly<Record<string, string>> = () => ({}),
): Promise<ToolServer> {
  const { key, cert } = certificate;
  const own = { "key.pem": key, "cert.pem": cert, "both.pem": `${cert}\n${key}` };
  return ToolServer.start({ command, debianPackage, args, files: (port) => ({ ...own, ...files(port) }) });
}

async function openssl(...more: readonly string[]): Promise<ToolServer> {
  const args = (port: number): string[] =>
    ["s_server", "-accept", `127.0.0.1:${port}`, "-key", "key.pem", "-cert", "cert.pem", "-quiet"].concat(more);
  return started("openssl", "openssl", args);
}

async function nginx(proxy: string): Promise<ToolServer> {
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((each) => `${each}_temp_path ${each};`);
  return started(
    "nginx",
    "nginx-light",
    () => ["-p", ".", "-c", "nginx.conf", "-e", "stderr"],
    (port) => ({
      "nginx.conf": `daemon off; master_process off; pid nginx.pid; error_log stderr;
        events {} http { access_log off; ${paths.join(" ")}
          server { listen 127.0.0.1:${port} ssl${proxy}; ssl_certificate cert.pem; ssl_certificate_key key.pem;
            location / { return 200 "$host"; } location /moved { return 302 /; }
            location /named { if ($host != "a.test") { return 404; } return 204; } } }`,
    }),
  );
}

async function haproxy(proxy: string): Promise<ToolServer> {
  return started(
    "haproxy",
    "haproxy",
    () => ["-f", "haproxy.cfg", "-db"],
    (port) => ({
      "haproxy.cfg": `defaults
  mode http
  timeout client 10s
  timeout connect 10s
  timeout server 10s
frontend f
  bind 127.0.0.1:${port} ssl crt both.pem${proxy}
  http-request return status 200
`,
    }),
  );
}

function serverNamed(name: string): ToolServer {
  const server = servers.get(name);
  if (server === undefined) throw new Error(`there is no ${name}`);
  return server;
}

const trusting = (): Probe => tls({ serverName: "a.test", verify: true, caCertificates: certificate.cert });

describe("a check passes", () => {
  it.each<[string, string, () => Probe, Uint8Array?]>([
    ["openssl, TLS 1.2", "TLS", () => tls()],
    ["openssl, TLS 1.3", "TLS", () => tls()],
    ["openssl, TLS 1.3", "TLS, verified", trusting],
    ["openssl, TLS 1.2", "TLS, verified without a name", () => tls({ verify: true, caCertificates: certificate.cert })],
    ["openssl, another first group", "TLS, after a HelloRetryRequest", () => tls()],
    // The handshake is done on this side before the server says that it wants a certificate.
    ["openssl, with client certificates", "TLS", () => tls()],
    ["gnutls", "TLS", () => tls({ serverName: "a.test" })],
    ["gnutls", "HTTPS", () => https("/", { serverName: "a.test" })],
    ["nginx", "TCP", () => tcp],
    ["nginx", "TLS, with ALPN", () => tls({ alpnProtocols: ["http/1.1"] })],
    // A server without ALPN ignores what is offered (RFC 7301 section 3.1), and is well.
    ["openssl, TLS 1.3", "TLS, with an ALPN that it does not know", () => tls({ alpnProtocols: ["h2"] })],
    ["nginx", "HTTPS", () => https()],
    ["nginx", "HTTPS, redirected", () => https("/moved")],
    ["nginx", "HTTPS, by name", () => https("/named", { serverName: "a.test" })],
    ["haproxy", "TLS", () => tls()],
    ["haproxy", "HTTPS", () => https()],
    ["nginx, behind PROXY", "TLS, with PROXY version 1", () => tls(), localProxyHeader(1)],
    ["nginx, behind PROXY", "HTTPS, with PROXY version 2", () => https(), localProxyHeader(2)],
    ["haproxy, behind PROXY", "TLS, with PROXY version 1", () => tls(), localProxyHeader(1)],
    ["haproxy, behind PROXY", "HTTPS, with PROXY version 2", () => https(), localProxyHeader(2)],
  ])("of %s, by %s", async (name, _, probe, header) => {
    const proxied = header === undefined ? {} : { header };
    for (const { result } of await runProbe(serverNamed(name).address, probe(), proxied)) {
      expect(result).toMatchObject({ passed: true });
      if (probe().type !== "tcp") expect(result.certificateExpiryMs).toBeGreaterThan(Date.now());
    }
  });

  it.each(["nginx, behind PROXY", "haproxy, behind PROXY"])("of %s only with the header", async (name) => {
    for (const { result } of await runProbe(serverNamed(name).address, tls())) expect(result.passed).toBe(false);
  });

  it("by TCP, with the header and then an orderly end", async () => {
    const server = await PeerServer.listen();
    const outcomes = await runProbe(server.address, tcp, { header: localProxyHeader(1) });
    for (const { result } of outcomes) {
      expect(result.passed).toBe(true);
      const peer = await server.nextPeer();
      expect((await peer.endsInOrder()).toString()).toBe("PROXY UNKNOWN\r\n");
    }
    await server.close();
  });
});

describe("tickets", () => {
  it.each<[string, Probe, number]>([
    ["openssl, TLS 1.2", tls(), 16],
    ["openssl, TLS 1.3", tls(), 16],
    ["openssl, another first group", tls(), 16],
    ["gnutls", tls(), 16],
    ["nginx", tls(), 16],
    ["nginx", tls({ maxVersion: "TLSv1.2" }), 16],
    ["nginx", https(), 16],
    ["haproxy", tls(), 16],
    ["haproxy", tls({ maxVersion: "TLSv1.2" }), 16],
  ])("of %s begin alike, %#", async (name, probe, nameBytes) => {
    const heads: Buffer[] = [];
    for (let handshake = 0; handshake < 2; handshake += 1) {
      for (const { ticketHeads } of await runProbe(serverNamed(name).address, probe, { wantsTickets: true })) {
        expect(ticketHeads.length).toBeGreaterThan(0);
        heads.push(...ticketHeads.map((head) => Buffer.from(head)));
      }
    }
    const common = commonPrefix(heads);
    expect(common).toBeGreaterThanOrEqual(nameBytes);
    expect(common).toBeLessThan(32);
  });

  it("of a server that is far away are waited for as long as it takes", async () => {
    const distant = await atDistance(serverNamed("haproxy").address, 600);
    for (const { ticketHeads } of await runProbe(distant.address, tls(), { wantsTickets: true }))
      expect(ticketHeads.length).toBeGreaterThan(0);
    await distant.close();
  });

  it.each(["openssl, TLS 1.2 without tickets", "openssl, with client certificates"])(
    "of %s do not come, and its check passes",
    async (name) => {
      for (const outcome of await runProbe(serverNamed(name).address, tls(), { wantsTickets: true }))
        expect(outcome).toMatchObject({ result: { passed: true }, ticketHeads: [] });
    },
  );
});

/** A way to a server on which every byte travels for so long. */
async function atDistance(
  address: SocketAddress,
  travelMs: number,
): Promise<{ address: SocketAddress; close(): Promise<void> }> {
  const travel = (from: Socket, to: Socket): void => {
    from.on("data", (bytes) => setTimeout(() => to.write(bytes), travelMs));
    from.on("close", () => setTimeout(() => to.destroy(), travelMs));
    from.on("error", () => from.destroy());
  };
  const relay = createServer((near) => {
    const far = connect(splitSocketAddress(address));
    travel(near, far);
    travel(far, near);
  });
  relay.listen({ host: "127.0.0.1", port: 0 });
  await once(relay, "listening");
  return {
    address: joinSocketAddress("127.0.0.1", (relay.address() as AddressInfo).port),
    close: async () => {
      relay.close();
      await once(relay, "close");
    },
  };
}

/** Bytes that all begin with. */
function commonPrefix(heads: readonly Buffer[]): number {
  let length = 0;
  while (length < 32 && heads.every((head) => head[length] === heads[0]?.[length])) length += 1;
  return length;
}
