import { affinityDefaults, panicThresholdDefault, passiveHealthDefaults, queueDefaults } from "./farm-policy.ts";
import type { ResourceKind } from "./resource-name.ts";
import type { Resource, ResourceOf } from "./resource.ts";

/** One field of a resource: its path in the proto, and its value in the model. */
interface Field<R> {
  readonly path: string;
  readonly get: (resource: R) => unknown;
  /** Added after configurations were stored: at this value it leaves no trace in digests. */
  readonly unlessAt?: unknown;
  /** The schema version that has it, where that is not 2. */
  readonly since?: number;
}

/**
 * Every field of every kind beside the name. This one list is what digests cover, what a plan compares and what an
 * update mask may name; a field that is missing here would be invisible to all three, so a test holds it against the
 * proto's descriptors.
 *
 * The order is part of the digest. A field that is added later goes to the end and says in `unlessAt` what its default is,
 * so that configurations that do not use it keep their digest.
 */
export const resourceFields: { readonly [K in ResourceKind]: readonly Field<ResourceOf[K]>[] } = {
  listener: [
    { path: "addresses", get: (listener) => listener.addresses },
    { path: "hello_bytes_max", get: (listener) => listener.helloBytesMax },
    { path: "hello_deadline", get: (listener) => listener.helloDeadlineMs },
    { path: "client_idle_timeout", get: (listener) => listener.clientIdleTimeoutMs },
    { path: "connections_max", get: (listener) => listener.connectionsMax },
    { path: "default_action", get: (listener) => listener.defaultAction },
    { path: "non_tls_farm", get: (listener) => listener.nonTlsFarm },
    { path: "proxy_networks", get: (listener) => listener.proxyNetworks, unlessAt: [] },
  ],
  route: [
    { path: "match.server_names", get: (route) => route.match.serverNames },
    { path: "match.no_server_name", get: (route) => route.match.noServerName },
    { path: "match.alpn_protocols", get: (route) => route.match.alpnProtocols },
    { path: "match.source_networks", get: (route) => route.match.sourceNetworks },
    { path: "action", get: (route) => route.action },
  ],
  farm: [
    { path: "balance", get: (farm) => farm.balance },
    { path: "connect_timeout", get: (farm) => farm.connectTimeoutMs },
    { path: "connect_attempts_max", get: (farm) => farm.connectAttemptsMax },
    { path: "server_idle_timeout", get: (farm) => farm.serverIdleTimeoutMs },
    { path: "half_close_timeout", get: (farm) => farm.halfCloseTimeoutMs },
    { path: "hash_balance_factor", get: (farm) => farm.hashBalanceFactor, unlessAt: 0 },
    { path: "affinity", get: (farm) => farm.affinity, unlessAt: affinityDefaults },
    { path: "health_check", get: (farm) => farm.healthCheck, unlessAt: null },
    { path: "passive_health", get: (farm) => farm.passiveHealth, unlessAt: passiveHealthDefaults },
    { path: "slow_start", get: (farm) => farm.slowStartMs, unlessAt: 0 },
    { path: "on_marked_down", get: (farm) => farm.onMarkedDown, unlessAt: "keep" },
    { path: "panic_threshold", get: (farm) => farm.panicThreshold, unlessAt: panicThresholdDefault },
    { path: "locality", get: (farm) => farm.locality, unlessAt: null },
    { path: "queue", get: (farm) => farm.queue, unlessAt: queueDefaults },
    { path: "proxy_protocol", get: (farm) => farm.proxyProtocol, unlessAt: null },
    { path: "source_transparent", get: (farm) => farm.sourceTransparent, unlessAt: false },
    { path: "on_server_removed", get: (farm) => farm.onServerRemoved, unlessAt: "keep", since: 3 },
  ],
  server: [
    { path: "address", get: (server) => server.address },
    { path: "weight", get: (server) => server.weight },
    { path: "region", get: (server) => server.region },
    { path: "backup", get: (server) => server.backup },
    { path: "state", get: (server) => server.state },
    { path: "connections_max", get: (server) => server.connectionsMax, unlessAt: 0 },
    { path: "check_address", get: (server) => server.checkAddress, unlessAt: null },
  ],
  rolloutPolicy: [{ path: "staged", get: (policy) => policy.staged }],
};

/** The fields of a resource, without its type parameter. */
export function fieldsOf(resource: Resource): readonly Field<Resource>[] {
  // Each kind's getters are only ever given a resource of that kind: the key is the resource's own kind.
  return resourceFields[resource.kind] as unknown as readonly Field<Resource>[];
}

/**
 * The canonical text of a resource: equal exactly where two resources mean the same. Lists keep the operator's order,
 * as it is what `get` shows.
 */
export function canonicalText(resource: Resource): string {
  const values: unknown[] = [resource.kind, resource.name];
  for (const field of fieldsOf(resource)) {
    const value = canonicalValue(field.get(resource));
    if (field.unlessAt === undefined) values.push(value);
    else if (!isLeftOut(field, resource)) values.push([field.path, value]);
  }
  return JSON.stringify(values);
}

/** Objects as lists of their entries in the order of their keys, at every depth; the rest as it is. */
function canonicalValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonicalValue);
  if (value === null || typeof value !== "object") return value;
  return Object.entries(value)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, each]) => [key, canonicalValue(each)]);
}

/** The first schema version that has all fields that a resource uses. */
export function fieldsVersionOf(resource: Resource): number {
  const added = fieldsOf(resource).filter((field) => field.unlessAt !== undefined && !isLeftOut(field, resource));
  return Math.max(1, ...added.map(({ since = 2 }) => since));
}

/** Paths of the fields that configurations of schema version 1 do not have, and that are as if they were not there. */
export function addedFieldsAtDefault(resource: Resource): readonly string[] {
  return fieldsOf(resource)
    .filter((field) => isLeftOut(field, resource))
    .map((field) => field.path);
}

function isLeftOut({ get, unlessAt }: Field<Resource>, resource: Resource): boolean {
  if (unlessAt === undefined) return false;
  const value = get(resource);
  return value === unlessAt || JSON.stringify(canonicalValue(value)) === JSON.stringify(canonicalValue(unlessAt));
}

/** Paths of the fields in which two resources of one kind differ. */
export function changedFields(before: Resource, after: Resource): readonly string[] {
  return fieldsOf(after)
    .filter(
      (field) => JSON.stringify(canonicalValue(field.get(before))) !== JSON.stringify(canonicalValue(field.get(after))),
    )
    .map((field) => field.path);
}
