import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type DnsResolveOptions, dnsResolve } from "../../dataplane/resolve/dns-resolve.ts";
import type { ResolvedName } from "../../dataplane/resolve/resolve.ts";
import { leftOver, type OpenResources, openResources } from "../support/open-resources.ts";
import { waitFor } from "../support/wait-for.ts";
import { DnsServer, type Zone } from "./dns-server.ts";

let before: OpenResources;
let server: DnsServer;

beforeEach(async () => {
  before = openResources();
  server = await DnsServer.start();
});

afterEach(async () => {
  await server.close();
  await waitFor("everything to be closed", () => leftOver(before, openResources()) === "", 10_000);
});

/** What the system knows, of which the resolver is told here. */
const hosts: Readonly<Record<string, string>> = { "hosts.test": "10.9.9.9", short: "10.8.8.8", "v6.hosts.test": "::1" };

async function lookupAll(host: string): Promise<readonly { readonly address: string }[]> {
  const address = hosts[host];
  if (address === undefined) throw Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" });
  return [{ address }];
}

function resolver(options: DnsResolveOptions = {}) {
  return dnsResolve({ servers: [server.address], timeoutMs: 100, tries: 1, lookupAll, ...options });
}

const both = ["10.0.0.2", "10.0.0.1", "2001:db8::1"];

describe("a name", () => {
  it.each<[string, string, Zone | undefined, ResolvedName]>([
    ["both families", "a.test", { addresses: both, ttl: 7 }, { addresses: both as never, ttlMs: 7000, missing: null }],
    ["IPv4 only", "a.test", { addresses: ["10.0.0.1"], ttl: 0 }, of("10.0.0.1", 0)],
    ["IPv6 only", "a.test", { addresses: ["2001:db8::1"], ttl: 9 }, of("2001:db8::1", 9000)],
    [
      "IPv4, while IPv6 fails",
      "a.test",
      { addresses: both, ttl: 7, failing: "AAAA" },
      partly("ipv6", "10.0.0.2", "10.0.0.1"),
    ],
    ["IPv6, while IPv4 fails", "a.test", { addresses: both, ttl: 7, failing: "A" }, partly("ipv4", "2001:db8::1")],
    ["NXDOMAIN, known to the system", "hosts.test", "absent", of("10.9.9.9", 30_000)],
    ["NODATA, known to the system", "v6.hosts.test", { addresses: [], ttl: 1 }, of("::1", 30_000)],
    ["NXDOMAIN", "a.test", "absent", { addresses: [], ttlMs: 5000, missing: null }],
    ["NODATA", "a.test", { addresses: [], ttl: 1 }, { addresses: [], ttlMs: 5000, missing: null }],
    ["no dot", "short", undefined, of("10.8.8.8", 30_000)],
  ])("with %s", async (_what, host, zone, expected) => {
    if (zone !== undefined) server.zone.set(host, zone);
    expect(await resolver()(host, new AbortController().signal)).toEqual(expected);
  });

  it.each<[string, Zone]>([
    ["SERVFAIL", "failing"],
    ["silence", "silent"],
    ["NODATA for one family and SERVFAIL for the other", { addresses: [], ttl: 1, failing: "A" }],
  ])("of which nothing is known by %s is rejected, whatever the system knows", async (_what, zone) => {
    server.zone.set("hosts.test", zone);
    await expect(resolver()("hosts.test", new AbortController().signal)).rejects.toThrow(/query/);
  });

  it("without a dot is no question for DNS", async () => {
    await resolver()("short", new AbortController().signal);
    expect(server.questions).toEqual([]);
  });

  it("is given up when nobody wants it any more", async () => {
    server.zone.set("a.test", "silent");
    const giveUp = new AbortController();
    const resolved = resolver({ timeoutMs: 60_000 })("a.test", giveUp.signal);
    await waitFor("the question", () => server.questions.length >= 2);
    giveUp.abort();
    await expect(resolved).rejects.toThrow(/ECANCELLED/);
  });

  it("that the system is asked for waits for two others at most", async () => {
    const waiting: (() => void)[] = [];
    const slow = async (): Promise<readonly { readonly address: string }[]> => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return [{ address: "10.0.0.1" }];
    };
    const resolve = resolver({ lookupAll: slow });
    const all = Array.from({ length: 5 }, (_, index) => resolve(`short-${index}`, new AbortController().signal));
    let most = 0;
    for (let done = 0; done < 5; done += 1) {
      await waitFor("the next", () => waiting.length > 0);
      most = Math.max(most, waiting.length);
      waiting.shift()?.();
    }
    expect((await Promise.all(all)).length).toBe(5);
    expect(most).toBe(2);
  });

  it("of the machine itself is found by the real system", async () => {
    const { addresses } = await dnsResolve()("localhost", new AbortController().signal);
    expect(["127.0.0.1", "::1"]).toContain(addresses[0]);
  });
});

function of(address: string, ttlMs: number): ResolvedName {
  return { addresses: [address as never], ttlMs, missing: null };
}

function partly(missing: "ipv4" | "ipv6", ...addresses: readonly string[]): ResolvedName {
  return { addresses: addresses as never, ttlMs: 7000, missing };
}
