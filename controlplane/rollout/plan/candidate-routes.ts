import { listenerOf } from "../../../model/resource-name.ts";
import type { Match, Route } from "../../../model/resource.ts";
import type { SampledHello } from "./sampled-hello.ts";

/**
 * Routes by the keys of their matches, as far as some hellos need them: whatever a hello's key does not lead to can't match
 * it. A sample has no client addresses, so that a route which is narrowed to networks matches none of it.
 *
 * In a configuration that commits allow, a key leads to one route of a listener; so a hello has as many candidates as its name
 * has labels, times the protocols that it offers.
 */
export class CandidateRoutes {
  readonly #byKey = new Map<string, Route[]>();

  constructor(routes: Iterable<Route>, hellos: readonly SampledHello[]) {
    for (const hello of hellos) for (const key of helloKeys(hello)) this.#byKey.set(key, []);
    for (const route of routes) {
      const listener = listenerOf(route.name);
      for (const key of routeKeys(listener, route.match)) this.#byKey.get(key)?.push(route);
    }
  }

  /** All routes that may match one of the hellos that it was made for, and some more; one may come twice. */
  *of(hello: SampledHello): Generator<Route> {
    for (const key of helloKeys(hello)) yield* this.#byKey.get(key) ?? [];
  }
}

function* routeKeys(listener: string, match: Match): Generator<string> {
  if (match.sourceNetworks.length > 0) return;
  const protocols = match.alpnProtocols.length === 0 ? [""] : match.alpnProtocols;
  const names: readonly string[] = match.noServerName ? [...match.serverNames, ""] : match.serverNames;
  for (const name of names) for (const protocol of protocols) yield keyOf(listener, name, protocol);
}

function* helloKeys({ listener, serverName, alpnProtocols }: SampledHello): Generator<string> {
  const protocols = new Set(["", ...alpnProtocols]);
  for (const pattern of patternsOf(serverName))
    for (const protocol of protocols) yield keyOf(listener, pattern, protocol);
}

/** Every pattern that covers a name; the empty one stands for hellos without a name. */
function* patternsOf(name: string | null): Generator<string> {
  if (name === null) return yield "";
  yield name;
  for (let dot = name.indexOf("."); dot !== -1; dot = name.indexOf(".", dot + 1)) yield `*${name.slice(dot)}`;
  yield "*";
}

/** Neither listeners nor patterns have blanks; the protocol, which may, comes last. */
function keyOf(listener: string, pattern: string, protocol: string): string {
  return `${listener} ${pattern} ${protocol}`;
}
