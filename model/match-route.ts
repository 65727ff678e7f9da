import { type IpAddress, ipBytes, type Network, networkBits, networkContains } from "./address.ts";
import type { Announcement, Match, Route } from "./resource.ts";
import type { ServerName } from "./server-name.ts";
import { noNameRank, patternCovers, patternRank, type ServerNamePattern } from "./server-name-pattern.ts";

/**
 * How closely a match fits one announcement: a value that compares ({@link compareSpecificity}), part by part in this
 * order. The parts of a match are independent, so each is its best value's.
 */
export interface Specificity {
  /** `patternRank` of the best name; `noNameRank` for a hello without a name. */
  readonly nameRank: number;
  /** Place of the best protocol in the client's list, 0 for what it likes best; null where the match names none. */
  readonly alpnIndex: number | null;
  /** Prefix length of the narrowest network around the client; null where the match names none. */
  readonly sourcePrefixBits: number | null;
}

/** Positive where the left is more specific, negative where the right is, 0 for a tie. */
export function compareSpecificity(left: Specificity, right: Specificity): number {
  if (left.nameRank !== right.nameRank) return left.nameRank - right.nameRank;
  if (left.alpnIndex !== right.alpnIndex) {
    // The earlier in the client's list the better, and any place is better than none.
    if (left.alpnIndex === null) return -1;
    return right.alpnIndex === null ? 1 : right.alpnIndex - left.alpnIndex;
  }
  return (left.sourcePrefixBits ?? -1) - (right.sourcePrefixBits ?? -1);
}

/** How closely the match fits, or undefined where one of its parts does not hold. */
export function specificityOf(match: Match, announcement: Announcement): Specificity | undefined {
  const nameRank = nameRankOf(match, announcement.serverName);
  if (nameRank === undefined) return undefined;
  const alpnIndex = alpnIndexOf(match.alpnProtocols, announcement.alpnProtocols);
  if (alpnIndex === undefined) return undefined;
  const sourcePrefixBits = sourcePrefixBitsOf(match.sourceNetworks, announcement.source);
  if (sourcePrefixBits === undefined) return undefined;
  return { nameRank, alpnIndex, sourcePrefixBits };
}

/**
 * The most specific of all routes that match. A route whose name fits better, but whose ALPN or source part does not
 * hold, is no obstacle to one with a less specific name.
 *
 * Of routes that tie, which commits do not allow (`match-key.ts`), the one with the smaller name is taken, so that the
 * answer never depends on their order. Looks at every route: the data plane's rule table gives the same answers fast.
 */
export function chooseRoute(
  routes: Iterable<Route>,
  announcement: Announcement,
): { readonly route: Route; readonly specificity: Specificity } | undefined {
  let best: { readonly route: Route; readonly specificity: Specificity } | undefined;
  for (const route of routes) {
    const specificity = specificityOf(route.match, announcement);
    if (specificity === undefined) continue;
    const lead = best === undefined ? 1 : compareSpecificity(specificity, best.specificity);
    if (best === undefined || lead > 0 || (lead === 0 && route.name < best.route.name)) best = { route, specificity };
  }
  return best;
}

function nameRankOf(match: Match, name: ServerName | null): number | undefined {
  if (name === null) return match.noServerName ? noNameRank : undefined;
  const covering = match.serverNames.filter((pattern: ServerNamePattern) => patternCovers(pattern, name));
  return covering.length === 0 ? undefined : Math.max(...covering.map(patternRank));
}

function alpnIndexOf(wanted: readonly string[], offered: readonly string[]): number | null | undefined {
  if (wanted.length === 0) return null;
  const index = offered.findIndex((protocol) => wanted.includes(protocol));
  return index < 0 ? undefined : index;
}

function sourcePrefixBitsOf(networks: readonly Network[], source: IpAddress | null): number | null | undefined {
  if (networks.length === 0) return null;
  const address = source === null ? undefined : ipBytes(source);
  if (address === undefined) return undefined;
  const around = networks.map(networkBits).filter((network) => networkContains(network, address));
  return around.length === 0 ? undefined : Math.max(...around.map((network) => network.prefixBits));
}
