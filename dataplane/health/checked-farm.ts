import type { HealthCheck } from "../../model/farm-policy.ts";
import type { Farm } from "../../model/resource.ts";
import { localProxyHeader } from "../hello/proxy-header-bytes.ts";
import type { FarmProbe, Prober } from "./probes/prober.ts";

/** A farm's check, and what all of its checks share. It holds its probe: whoever lets it go forgets that. */
export interface CheckedFarm {
  readonly check: HealthCheck;
  readonly probe: FarmProbe;
  /** PROXY protocol header that its servers expect; empty for none. */
  readonly header: Uint8Array;
  /** Whether handshakes are to teach affinity. */
  readonly followsTickets: boolean;
}

const noHeader = new Uint8Array(0);

/** Null for a farm that has no check. What is the same as before is kept: certificates to trust are costly to read. */
export function checkedFarm(farm: Farm, before: CheckedFarm | undefined, prober: Prober): CheckedFarm | null {
  const { healthCheck: check, proxyProtocol, affinity } = farm;
  if (check === null) return null;
  const isSameProbe = before !== undefined && JSON.stringify(before.check.probe) === JSON.stringify(check.probe);
  return {
    check,
    probe: isSameProbe ? before.probe : prober.prepare(check.probe),
    header: proxyProtocol === null ? noHeader : localProxyHeader(proxyProtocol.version),
    followsTickets: affinity.tlsSessions === "follow" && check.probe.type !== "tcp",
  };
}

/** Whether both ask the same of the same port: then a check that runs is good for either. */
export function isSameQuestion(one: CheckedFarm, other: CheckedFarm): boolean {
  const { check, probe, header } = one;
  return probe === other.probe && check.port === other.check.port && Buffer.compare(header, other.header) === 0;
}
