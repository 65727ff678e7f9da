import type { Traffic as WireTraffic, TrafficDelta } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { Counts, TrafficCounts } from "./pending-traffic.ts";

export function trafficDelta({ routes, servers, unrouted }: TrafficCounts): TrafficDelta {
  return {
    routes: Array.from(routes, ([route, counts]) => ({ route, traffic: wireTraffic(counts) })),
    servers: Array.from(servers, ([server, counts]) => ({ server, traffic: wireTraffic(counts) })),
    unrouted: unrouted.connections === 0 ? undefined : wireTraffic(unrouted),
  };
}

function wireTraffic(counts: Counts): WireTraffic {
  return {
    connections: BigInt(counts.connections),
    bytesFromClients: BigInt(counts.bytesFromClients),
    bytesFromServers: BigInt(counts.bytesFromServers),
    ended: wireCounts(counts.ended),
    handshakes: wireCounts(counts.handshakes),
    resumptions: wireCounts(counts.resumptions),
  };
}

function wireCounts(counts: ReadonlyMap<string, number>): Record<string, bigint> {
  return Object.fromEntries(Array.from(counts, ([word, count]) => [word, BigInt(count)]));
}
