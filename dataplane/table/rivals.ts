import { type NetworkBits, networkBits, networkContains } from "../../model/address.ts";
import type { Route } from "../../model/resource.ts";
import type { RouteName } from "../../model/resource-name.ts";

/** What narrows the choice among the routes of one name. */
export interface Narrowing {
  /** Place of the protocol's first mention in the client's ALPN list, 0 for what it likes best; -1 if not offered. */
  alpnIndex(protocol: string): number;
  /** The client's address, 4 or 16 bytes; null is in no network. */
  readonly source: Uint8Array | null;
}

/** A route with what the choice needs of it made ready. */
export interface Rival {
  readonly route: Route;
  readonly networks: readonly NetworkBits[];
}

/** Routes that share a name. Ordered by the routes' names, so that equal sets are equal values. */
export interface Rivals {
  readonly kind: "rivals";
  readonly members: readonly Rival[];
}

/** What a name leads to. A route without rivals that narrows nothing, as nearly all are, stands for itself. */
export type Target = Route | Rivals;

/** The target of a route that has no rivals. */
export function loneTarget(route: Route): Target {
  return narrows(route) ? { kind: "rivals", members: [rivalOf(route)] } : route;
}

/** The target with a route, given as its lone target, among it; it takes the place of an earlier state of itself. */
export function joinTarget(target: Target, lone: Target): Target {
  const [rival] = membersOf(lone) as readonly [Rival];
  const members = membersOf(target);
  const at = placeOf(members, rival.route.name);
  if (members[at]?.route.name !== rival.route.name) return targetOf(members.toSpliced(at, 0, rival));
  return members.length === 1 ? lone : targetOf(members.with(at, rival));
}

/** The target without the route; undefined where nothing is left. Throws a RangeError if the route is not there. */
export function leaveTarget(target: Target | undefined, name: RouteName): Target | undefined {
  const members = target === undefined ? [] : membersOf(target);
  const at = placeOf(members, name);
  if (members[at]?.route.name !== name) throw new RangeError(`${name} is not in the table`);
  return members.length === 1 ? undefined : targetOf(members.toSpliced(at, 1));
}

/**
 * The most specific route of the target that holds: the ALPN protocol that the client likes best, then the longest
 * source network. Takes time in proportion to the members and their networks.
 */
export function chooseTarget(target: Target, narrowing: Narrowing): Route | undefined {
  if (target.kind === "route") return target;
  let best: Route | undefined;
  let bestAlpn = 0;
  let bestBits = 0;
  for (const { route, networks } of target.members) {
    const alpn = alpnRank(route.match.alpnProtocols, narrowing);
    if (alpn === fails || (best !== undefined && alpn < bestAlpn)) continue;
    const bits = sourceRank(networks, narrowing.source);
    if (bits === fails || (best !== undefined && alpn === bestAlpn && bits <= bestBits)) continue;
    best = route;
    bestAlpn = alpn;
    bestBits = bits;
  }
  return best;
}

const fails = Number.NEGATIVE_INFINITY;
const unnarrowed = -1;

/** Larger is better. A ClientHello has room for fewer than 2^16 protocols. */
function alpnRank(protocols: readonly string[], narrowing: Narrowing): number {
  if (protocols.length === 0) return unnarrowed;
  let rank = fails;
  for (const protocol of protocols) {
    const index = narrowing.alpnIndex(protocol);
    if (index >= 0 && 0xffff - index > rank) rank = 0xffff - index;
  }
  return rank;
}

function sourceRank(networks: readonly NetworkBits[], source: Uint8Array | null): number {
  if (networks.length === 0) return unnarrowed;
  let rank = fails;
  if (source === null) return rank;
  for (const network of networks)
    if (network.prefixBits > rank && networkContains(network, source)) rank = network.prefixBits;
  return rank;
}

function rivalOf(route: Route): Rival {
  return { route, networks: route.match.sourceNetworks.map(networkBits) };
}

function narrows({ match }: Route): boolean {
  return match.alpnProtocols.length > 0 || match.sourceNetworks.length > 0;
}

function targetOf(members: readonly Rival[]): Target {
  const [first] = members as readonly [Rival, ...Rival[]];
  return members.length === 1 && !narrows(first.route) ? first.route : { kind: "rivals", members };
}

function membersOf(target: Target): readonly Rival[] {
  return target.kind === "route" ? [rivalOf(target)] : target.members;
}

/** Where a route of this name is, or belongs. */
function placeOf(members: readonly Rival[], name: RouteName): number {
  let low = 0;
  let high = members.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((members[middle] as Rival).route.name < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
