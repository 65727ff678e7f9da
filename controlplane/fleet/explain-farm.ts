import type { Configuration } from "../../model/configuration.ts";
import { type FarmName, farmOf } from "../../model/resource-name.ts";
import type { Farm, Server } from "../../model/resource.ts";
import { serverAvailability } from "../../model/server-availability.ts";
import type { ExplainServer } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";

/** Where a farm sends new connections, and why. */
export interface ExplainedFarm {
  readonly servers: ExplainServer[];
  readonly steps: readonly string[];
}

/**
 * As a node chooses (`dataplane/choose`), so far as it is the same on every node: `failing` holds servers that no node can
 * reach. What depends on the node, which is its region, its connections and the sessions that it knows, is said in a step.
 */
export function explainFarm(name: FarmName, configuration: Configuration, failing: ReadonlySet<string>): ExplainedFarm {
  const farm = configuration.farms.get(name);
  const servers = [...configuration.servers.values()].filter((server) => farmOf(server.name) === name).sort(byName);
  const { eligible, panic } = eligibleOf(servers, farm?.panicThreshold ?? 0, failing);
  const shares = sharesOf(eligible, farm);
  const explained = servers.map((server): ExplainServer => {
    const share = shares.get(server);
    const reason =
      share === undefined && server.backup ? "backup" : serverAvailability(server, failing.has(server.name));
    return { server: server.name, address: server.address, eligible: share !== undefined, reason, share: share ?? 0 };
  });
  if (farm === undefined || eligible.length === 0)
    return { servers: explained, steps: [`${name} has no server that may be chosen: alert internal_error.`] };
  const health = panic ? ", and does not look at health, as too few are healthy" : "";
  const step = `${name} balances by ${farm.balance} over ${eligible.length} of ${servers.length} servers${health}.`;
  return { servers: explained, steps: [step, ...nodeSteps(farm, servers)] };
}

function byName(left: Server, right: Server): number {
  return left.name < right.name ? -1 : 1;
}

/** Backups only where no primary answers; and where too few of all answer, health is not looked at. */
function eligibleOf(
  servers: readonly Server[],
  panicThreshold: number,
  failing: ReadonlySet<string>,
): { readonly eligible: readonly Server[]; readonly panic: boolean } {
  const usable = servers.filter((server) => serverAvailability(server, false) === "ready");
  const answering = usable.filter((server) => !failing.has(server.name));
  const panic =
    panicThreshold > 0 && (answering.length === 0 || answering.length * 100 < panicThreshold * usable.length);
  const backup = !(answering.length > 0 ? answering : usable).some((server) => !server.backup);
  return { eligible: (panic ? usable : answering).filter((server) => server.backup === backup), panic };
}

/** Of those that may be chosen; `first` gives all to one, while it has room. */
function sharesOf(eligible: readonly Server[], farm: Farm | undefined): ReadonlyMap<Server, number> {
  if (farm?.balance === "first") return new Map(eligible.map((server, index) => [server, index === 0 ? 1 : 0]));
  const total = eligible.reduce((sum, { weight }) => sum + weight, 0);
  return new Map(eligible.map((server) => [server, server.weight / total]));
}

const hashedBy = new Map([
  ["source_hash", "client's address"],
  ["maglev_source", "client's address"],
  ["maglev_server_name", "server name"],
]);

/** What the control plane can't know, a sentence each. */
function nodeSteps(farm: Farm, servers: readonly Server[]): readonly string[] {
  const { affinity, locality, queue } = farm;
  const steps: string[] = [];
  if (affinity.tlsSessions === "follow") {
    const drain = affinity.drain === "honour" ? "one in DRAIN too" : "none in DRAIN";
    steps.push(`A client with a TLS session goes to a server that can resume it, ${drain}, where the node knows one.`);
  }
  const by = affinity.fallback === "source" ? "client's address" : hashedBy.get(farm.balance);
  if (by !== undefined) steps.push(`Of those that resume nothing, the ${by} decides.`);
  if (locality !== null) {
    const order = ["its own region", ...locality.regions, "all others"].join(", then ");
    const spill = `while at least ${locality.spillBelowPercent}% of a region's servers are healthy`;
    steps.push(`A node prefers the servers of ${order}, ${spill}: shares are of a node that has no preference.`);
  }
  if (servers.some((server) => server.connectionsMax > 0)) {
    const wait = `up to ${queue.lengthMax} clients wait for room, ${queue.timeoutMs / 1000} s at most`;
    const full = queue.lengthMax === 0 ? "connections are refused" : wait;
    steps.push(`A server with its connections_max on a node is passed over there; where all are full, ${full}.`);
  }
  if (steps.length > 0) steps.push("What a node itself would do: switchyard nodes explain.");
  return steps;
}
