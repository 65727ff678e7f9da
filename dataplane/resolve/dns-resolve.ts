import { lookup, Resolver } from "node:dns/promises";
import { type IpAddress, parseIpAddress } from "../../model/address.ts";
import type { Resolve, ResolvedName } from "./resolve.ts";
import { Turnstile } from "./turnstile.ts";

export interface DnsResolveOptions {
  /** `127.0.0.1:5353`, `[::1]:53`; without any those of the system, as they are at the time of each question. */
  readonly servers?: readonly string[];
  /** For the first answer of a server; each further try waits longer. */
  readonly timeoutMs?: number;
  readonly tries?: number;
  /** What the system says, by its hosts file among others; rejects with a code as node's `dns.lookup` does. */
  readonly lookupAll?: (host: string) => Promise<readonly { readonly address: string }[]>;
}

const timeoutDefaultMs = 2000;
const triesDefault = 2;

/** The system's lookups tell no time to live. */
const lookupTtlMs = 30_000;

/** A name that does not exist may soon. The time that its zone grants (RFC 2308) is not told by the library. */
const absentTtlMs = 5000;

/** Each keeps one of libuv's four threads, which the disk needs too, for as long as the system's resolver takes. */
const lookupsMax = 2;

/** What DNS says of a name that has no address, by c-ares. */
const absentCodes: ReadonlySet<string> = new Set(["ENOTFOUND", "ENODATA"]);

/**
 * Resolves by DNS, with the times to live that it tells. A name without a dot, and one that DNS does not know, is looked for
 * as the system does it: in the hosts file, in the search domains.
 */
export function dnsResolve(options: DnsResolveOptions = {}): Resolve {
  const lookupAll = options.lookupAll ?? ((host: string) => lookup(host, { all: true }));
  const turnstile = new Turnstile(lookupsMax);
  const lookedUp = async (host: string, signal: AbortSignal): Promise<ResolvedName> =>
    turnstile.pass(async () => {
      signal.throwIfAborted();
      try {
        const addresses = (await lookupAll(host)).flatMap(({ address }) => parseIpAddress(address) ?? []);
        return { addresses, ttlMs: lookupTtlMs, missing: null };
      } catch (error) {
        if (isAbsent(error)) return { addresses: [], ttlMs: absentTtlMs, missing: null };
        throw error;
      }
    });
  return async (host, signal) => {
    if (!host.includes(".")) return lookedUp(host, signal);
    const resolved = await asked(host, options, signal);
    return resolved.addresses.length === 0 ? lookedUp(host, signal) : resolved;
  };
}

interface Records {
  readonly addresses: readonly IpAddress[];
  readonly ttlMs: number;
}

const noRecords: Records = { addresses: [], ttlMs: Number.POSITIVE_INFINITY };

/** Asks for both families at once, with a resolver of its own: that one reads the system's settings, and can be cancelled. */
async function asked(host: string, options: DnsResolveOptions, signal: AbortSignal): Promise<ResolvedName> {
  signal.throwIfAborted();
  const { servers, timeoutMs = timeoutDefaultMs, tries = triesDefault } = options;
  const resolver = new Resolver({ timeout: timeoutMs, tries });
  if (servers !== undefined) resolver.setServers(servers);
  const cancel = (): void => resolver.cancel();
  signal.addEventListener("abort", cancel);
  try {
    const [four, six] = await Promise.all([
      records(resolver.resolve4(host, { ttl: true })),
      records(resolver.resolve6(host, { ttl: true })),
    ]);
    if (four instanceof Error || six instanceof Error) {
      const known = four instanceof Error ? six : four;
      if (known instanceof Error) throw known;
      // Whether the name has an address can't be told where one family is silent, and the other has none.
      if (known.addresses.length === 0) throw new Error(`one of its families can't be asked for: ${why(four, six)}`);
      return { ...known, missing: four instanceof Error ? "ipv4" : "ipv6" };
    }
    const addresses = [...four.addresses, ...six.addresses];
    const ttlMs = addresses.length === 0 ? absentTtlMs : Math.min(four.ttlMs, six.ttlMs);
    return { addresses, ttlMs, missing: null };
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

async function records(
  answer: Promise<readonly { readonly address: string; readonly ttl: number }[]>,
): Promise<Records | Error> {
  try {
    const found = await answer;
    const addresses = found.flatMap(({ address }) => parseIpAddress(address) ?? []);
    return { addresses, ttlMs: Math.min(...found.map(({ ttl }) => ttl)) * 1000 };
  } catch (error) {
    if (isAbsent(error)) return noRecords;
    return error instanceof Error ? error : new Error(String(error));
  }
}

function why(...answers: readonly (Records | Error)[]): string {
  return answers.flatMap((each) => (each instanceof Error ? each.message : [])).join("; ");
}

function isAbsent(error: unknown): boolean {
  return absentCodes.has((error as NodeJS.ErrnoException | null)?.code ?? "");
}
