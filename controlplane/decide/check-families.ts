import { isHostAddress, isIpv4, splitSocketAddress } from "../../model/address.ts";
import { type FarmName, farmOf } from "../../model/resource-name.ts";
import type { Server } from "../../model/resource.ts";
import type { Violation } from "../../model/violation.ts";
import type { ConfigurationIndex } from "./configuration-index.ts";
import type { Draft } from "./draft.ts";

/**
 * A farm that connects from its clients' own addresses has servers of one family of addresses: a client can't be passed on to
 * a server of the other. Names are left to the nodes, which see what they stand for.
 */
export function checkFamilies(draft: Draft, index: ConfigurationIndex, violations: Violation[]): void {
  const touched = new Set<FarmName>();
  for (const { after } of draft.entries.values()) {
    if (after?.kind === "farm") touched.add(after.name);
    if (after?.kind === "server") touched.add(farmOf(after.name));
  }
  for (const name of touched) {
    const farm = draft.resource(name);
    if (farm?.kind !== "farm" || !farm.sourceTransparent) continue;
    const servers = serversOf(name, draft, index);
    const first = servers[0];
    const other = servers.find((server) => first !== undefined && familyOf(server) !== familyOf(first));
    if (first === undefined || other === undefined) continue;
    const description = `${name} connects from its clients' addresses, and ${other.name} is ${familyOf(other)} where ${first.name} is ${familyOf(first)}`;
    violations.push({ field: fieldOf(draft, name, other, first), reason: "conflict", description });
  }
}

/** Those with an address, the ones that stay as they are first. */
function serversOf(farm: FarmName, draft: Draft, index: ConfigurationIndex): readonly Server[] {
  const names = new Set([...index.children(farm)].filter((name) => !draft.entries.has(name)));
  for (const { after } of draft.entries.values())
    if (after?.kind === "server" && farmOf(after.name) === farm) names.add(after.name);
  return [...names].flatMap((name) => {
    const server = draft.resource(name);
    return server?.kind === "server" && !isHostAddress(server.address) ? [server] : [];
  });
}

function familyOf({ address }: Server): "IPv4" | "IPv6" {
  return isIpv4(splitSocketAddress(address).host) ? "IPv4" : "IPv6";
}

/** Where the request says it: at one of the servers, or at the farm. */
function fieldOf(draft: Draft, farm: FarmName, ...servers: readonly Server[]): string {
  for (const { name } of servers) {
    const entry = draft.entries.get(name);
    if (entry !== undefined) return entry.path === "" ? "address" : `${entry.path}.address`;
  }
  const path = draft.entries.get(farm)?.path ?? "";
  return path === "" ? "source_transparent" : `${path}.source_transparent`;
}
