import type { SocketAddress } from "../../model/address.ts";
import type { Probe, TlsProbe } from "../../model/farm-policy.ts";
import type { CheckResult } from "../../dataplane/health/check-result.ts";
import { prepareProbe } from "../../dataplane/health/probes/prepare-probe.ts";
import { startProbe } from "../../dataplane/health/probes/start-probe.ts";

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
export async function runProbe(
  address: SocketAddress,
  probe: Probe,
  circumstances: ProbeCircumstances = {},
): Promise<ProbeOutcome> {
  const { timeoutMs = 10_000, header = new Uint8Array(0), wantsTickets = false } = circumstances;
  return new Promise((resolve, reject) => {
    const results: CheckResult[] = [];
    startProbe(
      { probe: prepareProbe(probe), address, timeoutMs, header, wantsTickets },
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
