import { afterAll } from "vitest";
import type { SocketAddress } from "../../model/address.ts";
import type { Probe, TlsProbe } from "../../model/farm-policy.ts";
import type { CheckResult } from "../../dataplane/health/check-result.ts";
import { LocalProber } from "../../dataplane/health/probes/local-prober.ts";
import { stalledDetail } from "../../dataplane/health/probes/probe-connection.ts";
import type { Prober } from "../../dataplane/health/probes/prober.ts";
import { threadProber } from "./thread-probers.ts";

export interface ProbeOutcome {
  readonly result: CheckResult;
  readonly ticketHeads: readonly Uint8Array[];
}

export interface ProbeCircumstances {
  readonly timeoutMs?: number;
  readonly header?: Uint8Array;
  readonly wantsTickets?: boolean;
}

/** One check of a server, until nothing of it is left. Fails where the result is told twice, or not at all. */
export async function runBy(
  prober: Prober,
  address: SocketAddress,
  probe: Probe,
  circumstances: ProbeCircumstances = {},
): Promise<ProbeOutcome> {
  const { timeoutMs = 10_000, header = new Uint8Array(0), wantsTickets = false } = circumstances;
  const prepared = prober.prepare(probe);
  const outcome = await new Promise<ProbeOutcome>((resolve, reject) => {
    const results: CheckResult[] = [];
    prepared.start(
      { address, timeoutMs, header, wantsTickets },
      {
        result: (result) => results.push(result),
        ended: (ticketHeads) => {
          const [result] = results;
          if (result === undefined || results.length > 1) reject(new Error(`${results.length} results`));
          else resolve({ result, ticketHeads });
        },
      },
    );
  });
  prepared.forget();
  return outcome;
}

const here = new LocalProber();
const elsewhere = threadProber();

afterAll(async () => {
  await here.close();
  await elsewhere.close();
});

/** One check in this thread and one in a thread of its own, at the same time: what is true of one is true of either. */
export async function runProbe(
  address: SocketAddress,
  probe: Probe,
  circumstances: ProbeCircumstances = {},
): Promise<readonly ProbeOutcome[]> {
  return Promise.all([here, elsewhere].map(async (prober) => told(prober, address, probe, circumstances)));
}

/** A machine that is busy with other tests may be too late to see: then the check is made again, as a node would. */
async function told(...asked: Parameters<typeof runBy>): Promise<ProbeOutcome> {
  for (;;) {
    const outcome = await runBy(...asked);
    if (outcome.result.passed || outcome.result.detail !== stalledDetail) return outcome;
  }
}

export const tcp: Probe = { type: "tcp" };

const anyTls: TlsProbe = {
  serverName: "",
  alpnProtocols: [],
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.3",
  verify: false,
  caCertificates: "",
};

export function tls(more: Partial<TlsProbe> = {}): Probe {
  return { type: "tls", tls: { ...anyTls, ...more } };
}

export function https(path = "/", more: Partial<TlsProbe> = {}): Probe {
  const expectedStatuses = [{ first: 200, last: 399 }];
  return { type: "https", tls: { ...anyTls, ...more }, http: { method: "GET", path, host: "", expectedStatuses } };
}

/** One that takes so many bytes of text along. */
export function heavyProbe(index: number, bytes: number): Probe {
  return https(`/${index}/${"x".repeat(bytes)}`);
}
