import type { AddressInfo } from "node:net";
import type { TlsOptions } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HealthChecker } from "../../dataplane/health/health-checker.ts";
import { LocalProber } from "../../dataplane/health/probes/local-prober.ts";
import { ServerHealthBoard } from "../../dataplane/health/server-health.ts";
import type { Change } from "../../model/configuration.ts";
import { affinityDefaults, type HealthCheck } from "../../model/farm-policy.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";
import type { Farm, Resource } from "../../model/resource.ts";
import { leftOver, type OpenResources, openResources } from "../support/open-resources.ts";
import { PeerServer } from "../support/peer-server.ts";
import { SilentListener } from "../support/silent-listener.ts";
import { testCertificate } from "../support/test-certificate.ts";
import { waitFor } from "../support/wait-for.ts";
import { CountingProber } from "./counting-prober.ts";
import { CountingTls } from "./counting-tls.ts";
import { FixedAddresses } from "./fixed-addresses.ts";
import { created, testCheck, testFarm, testServer } from "./health-resources.ts";
import { tls } from "./run-probe.ts";
import { ToolServer } from "./tool-server.ts";

const name: ServerResourceName = "farms/f/servers/a";

let board: ServerHealthBoard;
let addresses: FixedAddresses;
let checker: HealthChecker;
let transitions: string[];
let tickets: { readonly server: ServerResourceName; readonly handshakes: readonly (readonly Uint8Array[])[] }[];
let closers: (() => Promise<void>)[];
let before: OpenResources;

beforeEach(() => {
  before = openResources();
  board = new ServerHealthBoard();
  addresses = new FixedAddresses();
  transitions = [];
  tickets = [];
  closers = [];
  board.onTransition(({ server, from, to, reason }) => transitions.push(`${server} ${from}>${to} ${reason ?? "-"}`));
  checker = new HealthChecker({
    board,
    addresses,
    onTickets: (server, handshakes) => tickets.push({ server, handshakes }),
    now: () => performance.now(),
    random: Math.random,
    prober: new LocalProber(),
  });
});

afterEach(async () => {
  await checker.close();
  for (const close of closers) await close();
  // What Node closes a moment later, such as a listener's own handle.
  await waitFor("everything to be closed", () => leftOver(before, openResources()) === "");
});

function apply(...changes: readonly Change[]): void {
  board.apply(changes, performance.now());
  checker.apply(changes);
}

function replaced(before: Resource, after: Resource): void {
  apply({ before, after });
}

/** A farm whose checks are as frequent as may be. */
function frequent(check: Partial<HealthCheck> = {}, policy: Partial<Farm> = {}): Farm {
  const often = { intervalMs: 100, fastIntervalMs: 100, timeoutMs: 2000, rise: 2, fall: 2, ...check };
  return testFarm({ healthCheck: testCheck(often), ...policy });
}

async function peerServer(): Promise<PeerServer> {
  const server = await PeerServer.listen((peer) => peer.socket.on("error", () => peer.socket.destroy()));
  closers.push(() => server.close());
  return server;
}

/** How often an address was asked for. */
function countedAsks(): () => number {
  let count = 0;
  const next = addresses.next.bind(addresses);
  addresses.next = (server) => {
    count += 1;
    return next(server);
  };
  return () => count;
}

async function tlsServer(options: TlsOptions = {}): Promise<CountingTls> {
  const server = await CountingTls.listen(options);
  closers.push(() => server.close());
  return server;
}

async function plainOpenssl(): Promise<ToolServer> {
  const certificate = await testCertificate("a.test");
  const server = await ToolServer.start({
    command: "openssl",
    debianPackage: "openssl",
    files: () => ({ "key.pem": certificate.key, "cert.pem": certificate.cert }),
    args: (port) => `s_server -accept 127.0.0.1:${port} -key key.pem -cert cert.pem -quiet -naccept 1000000`.split(" "),
  });
  closers.push(() => server.stop());
  return server;
}

describe("a server", () => {
  it("that is killed is marked down, after as many failed checks as the farm says", async () => {
    const server = await plainOpenssl();
    apply(...created(frequent({ probe: tls(), fall: 3 }), testServer(name, server.address)));
    await waitFor("a certificate", () => [...board.states(0)].some((each) => each.certificateExpiryMs !== null));
    expect(transitions).toEqual([]);
    server.signal("SIGKILL");
    await waitFor("the server to be down", () => transitions.includes(`${name} up>down connect_refused`));
    expect(board.isHealthy(name, performance.now())).toBe(false);
  });

  it("that stops is marked down by the time limit, and up when it goes on", async () => {
    const server = await plainOpenssl();
    apply(...created(frequent({ probe: tls(), timeoutMs: 300 }), testServer(name, server.address)));
    await waitFor("tickets", () => tickets.length > 0);
    server.signal("SIGSTOP");
    await waitFor("the server to be down", () => transitions.includes(`${name} up>down tls_timeout`));
    server.signal("SIGCONT");
    await waitFor("the server to be up", () => transitions.includes(`${name} down>up tls_timeout`));
  });

  it("that never answered is down by its first check", async () => {
    const server = await SilentListener.listen();
    closers.push(() => server.close());
    apply(...created(frequent({ timeoutMs: 100, fall: 100 }), testServer(name, server.address)));
    await waitFor("the server to be down", () => transitions.includes(`${name} up>down connect_timeout`));
  });

  it("whose name for checks has no address is down for that, though not while it may just not be resolved yet", async () => {
    const server = testServer(name, "127.0.0.1:1", { checkAddress: testServer(name, "nowhere.test:443").address });
    const asked = countedAsks();
    let askedWhenDown = 0;
    board.onTransition(() => (askedWhenDown = asked()));
    apply(...created(frequent({ fall: 100 }), server));
    await waitFor("the server to be down", () => transitions.includes(`${name} up>down unresolved`));
    expect(askedWhenDown).toBe(2);
  });

  it("whose own name has no address is left to whoever resolves it", async () => {
    const asked = countedAsks();
    apply(...created(frequent(), testServer(name, "nowhere.test:443")));
    await waitFor("some checks", () => asked() >= 5);
    expect(transitions).toEqual([]);
  });

  it("is checked where it serves, and its address is told what became of it", async () => {
    const server = await peerServer();
    apply(...created(frequent(), testServer(name, server.address)));
    await server.nextPeer();
    await waitFor("the address to be told", () => addresses.told.includes(`succeeded ${name} ${server.address}`));
  });

  it.each(["port", "address"])(
    "with a %s of its own for checks is checked there, and nothing is said of the other",
    async (own) => {
      const server = await peerServer();
      const port = Number(server.address.split(":")[1]);
      const farm = frequent(own === "port" ? { port } : {});
      const checkAddress = own === "address" ? server.address : null;
      apply(...created(farm, testServer(name, "127.0.0.1:1", { checkAddress })));
      await server.nextPeer();
      await server.nextPeer();
      expect(addresses.told).toEqual([]);
      expect(transitions).toEqual([]);
    },
  );

  it("in MAINTENANCE is not checked, and is again when it is back", async () => {
    const server = await peerServer();
    const ready = testServer(name, server.address);
    const away = testServer(name, server.address, { state: "maintenance" });
    apply(...created(frequent(), away));
    expect(checker.size).toBe(0);
    replaced(away, ready);
    await server.nextPeer();
    replaced(ready, away);
    expect(checker.size).toBe(0);
  });

  it("that moves begins anew elsewhere, and what its old address still says is no news", async () => {
    const silent = await SilentListener.listen();
    closers.push(() => silent.close());
    const server = await peerServer();
    const [old, moved] = [testServer(name, silent.address), testServer(name, server.address)];
    apply(...created(frequent({ timeoutMs: 200 }), old));
    await waitFor("the server to be down", () => transitions.length > 0);
    replaced(old, moved);
    await server.nextPeer();
    await waitFor("a second check", () => server.peers.length > 1);
    expect(transitions).toEqual([`${name} up>down connect_timeout`, `${name} down>up connect_timeout`]);
  });

  it("that has gone, whose farm has gone, or whose farm is not checked any more, is left alone", async () => {
    const server = await peerServer();
    const farm = frequent();
    const one = testServer(name, server.address);
    const leaving: readonly Change[] = [
      { before: one, after: null },
      { before: farm, after: null },
      { before: farm, after: testFarm() },
    ];
    for (const change of leaving) {
      apply(...created(farm, one));
      expect(checker.size).toBe(1);
      await server.nextPeer();
      apply(change);
      expect(checker.size).toBe(0);
      apply({ before: one, after: null });
    }
  });
});

describe("tickets", () => {
  it("are learnt by three full handshakes at first, then by one a check, and by more when asked", async () => {
    const { address, connections } = await tlsServer();
    apply(...created(frequent({ probe: tls() }), testServer(name, address)));
    // Where a busy machine's server is too late with a ticket, the next check asks for three again.
    const three = (): number => tickets.findIndex(({ handshakes }) => handshakes.length === 3);
    await waitFor("three handshakes, and another check", () => three() >= 0 && tickets.length > three() + 1);
    expect(tickets[three() + 1]?.handshakes.length).toBe(1);
    const heads = tickets.flatMap(({ handshakes }) => handshakes.flat());
    // Node's tickets begin with the 16 bytes of their key's name.
    expect(new Set(heads.map((head) => Buffer.from(head.subarray(0, 16)).toString("hex"))).size).toBe(1);
    expect(new Set(heads.map((head) => Buffer.from(head).toString("hex"))).size).toBe(heads.length);
    const known = tickets.length;
    checker.moreTickets(name);
    await waitFor("more handshakes", () => tickets.slice(known).some(({ handshakes }) => handshakes.length === 3));
    expect(connections.some((socket) => socket.isSessionReused())).toBe(false);
  });

  it("are learnt anew of a server that came back", async () => {
    const { address, server } = await tlsServer();
    const { port } = server.address() as AddressInfo;
    apply(...created(frequent({ probe: tls() }), testServer(name, address)));
    await waitFor("one handshake a check", () => tickets.at(-1)?.handshakes.length === 1);
    server.close();
    await waitFor("the server to be down", () => transitions.length === 1);
    const known = tickets.length;
    server.listen({ host: "127.0.0.1", port });
    await waitFor("three again", () => tickets.slice(known).some(({ handshakes }) => handshakes.length === 3));
  });

  it.each<[string, HealthCheck["probe"], Partial<Farm>]>([
    ["where the farm follows no sessions", tls(), { affinity: { ...affinityDefaults, tlsSessions: "ignore" } }],
    ["by a TCP check", { type: "tcp" }, {}],
  ])("are not learnt %s", async (_, probe, policy) => {
    const { address, server } = await tlsServer();
    let accepted = 0;
    server.on("connection", () => (accepted += 1));
    apply(...created(frequent({ probe }, policy), testServer(name, address)));
    await waitFor("some checks", () => accepted > 3);
    expect(tickets).toEqual([]);
  });
});

describe("many servers", () => {
  it("are all checked, and never more at once than there is room for", async () => {
    const server = await PeerServer.listen(({ socket }) => socket.resume().on("error", () => socket.destroy()));
    closers.push(() => server.close());
    const prober = new CountingProber(new LocalProber());
    const parts = { board, addresses, onTickets: () => undefined, now: () => performance.now(), random: Math.random };
    checker = new HealthChecker({ ...parts, inFlightMax: 16, prober });
    const names = Array.from({ length: 2000 }, (_, index) => `farms/f/servers/s${index}` as ServerResourceName);
    const seen = new Set<ServerResourceName>();
    addresses.succeeded = ({ name }): void => void seen.add(name);
    apply(...created(frequent({ intervalMs: 500 }), ...names.map((each) => testServer(each, server.address))));
    await waitFor("all to be checked", () => seen.size === names.length);
    expect(prober.openMost).toBeGreaterThan(1);
    expect(prober.openMost).toBeLessThanOrEqual(16);
    expect(transitions).toEqual([]);
  });

  it("leave nothing when the checker is closed amid their checks", async () => {
    const silent = await peerServer();
    const { address } = await tlsServer();
    const names = Array.from({ length: 200 }, (_, index) => `farms/f/servers/s${index}` as ServerResourceName);
    const servers = names.map((each, index) => testServer(each, index % 2 === 0 ? silent.address : address));
    apply(...created(frequent({ probe: tls() }), ...servers));
    await waitFor("checks that hang", () => silent.peers.length > 20);
    const descriptors = openResources();
    await checker.close();
    // Only the servers' own ends may still be there.
    expect(openResources().active["TCPConnectWrap"] ?? 0).toBe(0);
    expect(openResources().descriptors).toBeLessThan(descriptors.descriptors);
    checker.apply(created(frequent(), ...servers));
    expect(transitions).toEqual([]);
  });
});
