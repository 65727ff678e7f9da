import type { Match } from "./resource.ts";

/**
 * The keys of a match: every combination of a name (or "no name"), a protocol (or none) and a network (or none) in it.
 * Two routes of a listener can tie for a client only if they share a key; so a listener that has each key once never has
 * to choose by order.
 */

/** Keys of one route at most: names times protocols times networks could be 8 million. */
export const matchKeysMax = 10_000;

/** How many keys {@link matchKeys} gives. */
export function matchKeyCount(match: Match): number {
  const names = match.serverNames.length + (match.noServerName ? 1 : 0);
  return names * Math.max(match.alpnProtocols.length, 1) * Math.max(match.sourceNetworks.length, 1);
}

/**
 * The keys in canonical text, as it is shown to an operator: `shop.example.com`, `*.example.com alpn=h2`,
 * `(no name) source=10.0.0.0/8 alpn=h2`. Different keys have different texts: patterns and networks have no blanks, and
 * the protocol, which may, comes last. A name that is not narrowed is its own key, and takes no memory of its own.
 */
export function* matchKeys(match: Match): Generator<string, void, undefined> {
  const names: readonly string[] = match.noServerName ? [...match.serverNames, "(no name)"] : match.serverNames;
  const sources =
    match.sourceNetworks.length === 0 ? [""] : match.sourceNetworks.map((network) => ` source=${network}`);
  const protocols = match.alpnProtocols.length === 0 ? [""] : match.alpnProtocols.map((name) => ` alpn=${name}`);
  for (const name of names)
    for (const source of sources) for (const protocol of protocols) yield name + source + protocol;
}
