import { joinSocketAddress } from "../../model/address.ts";
import { type Commit, type Position, type SealedCommit } from "../../model/commit.ts";
import { Configuration } from "../../model/configuration.ts";
import { farmPolicyDefaults } from "../../model/farm-policy.ts";
import type { Farm, Listener, Resource, Route, Server } from "../../model/resource.ts";
import type { ServerNamePattern } from "../../model/server-name-pattern.ts";
import { sealCommit } from "../../model/wire/commit.ts";
import { encodeSnapshotParts } from "../../model/wire/snapshot.ts";
import { connectionsMax, holdSeconds } from "./target.ts";

export const nodeListener = "listeners/bench";
const farmName = "farms/bench";
const holdMs = holdSeconds * 1000;
const resourcesPerPart = 1000;

/** What the node has from the start. */
export const startPosition: Position = { epoch: 1, revision: 1000, hash: new Uint8Array(32).fill(1) };

export interface NodeConfiguration {
  readonly port: number;
  readonly serverPorts: readonly number[];
  readonly names: readonly string[];
  /** Routes beside those of the names. */
  readonly moreRoutes: number;
}

/** The snapshot that a node starts from, as it is stored. A million routes take many seconds. */
export function encodeStart(wanted: NodeConfiguration): Buffer {
  const configuration = Configuration.restore(startPosition, startResources(wanted));
  return Buffer.concat([...encodeSnapshotParts(configuration, resourcesPerPart)]);
}

/**
 * The commit after `before`, of `count` events: the first creates so many routes, and each later one gives all of them
 * another name.
 */
export function sealRoutes(before: Position, count: number): { readonly sealed: SealedCommit; readonly at: Position } {
  const revision = before.revision + 1;
  const type = before.revision === startPosition.revision ? ("created" as const) : ("updated" as const);
  const events: Commit["events"] = Array.from({ length: count }, (_, index) => {
    return { type, resource: anotherRoute("changing", index, revision) };
  });
  const sealed = sealCommit({
    epoch: before.epoch,
    revision,
    parentHash: before.hash,
    requestId: `bench-${revision}`,
    requestDigest: new Uint8Array(32),
    author: "bench",
    reason: "",
    timeMs: 0,
    events,
  });
  return { sealed, at: { epoch: before.epoch, revision, hash: sealed.hash } };
}

export function* startResources({ port, serverPorts, names, moreRoutes }: NodeConfiguration): Generator<Resource> {
  yield farm;
  for (const [index, serverPort] of serverPorts.entries()) yield serverAt(index, serverPort);
  yield listenerAt(port);
  for (const [index, name] of names.entries()) yield routeOf(`name${index}`, name);
  for (let index = 0; index < moreRoutes; index += 1) yield anotherRoute("more", index, 0);
}

const farm: Farm = {
  kind: "farm",
  name: farmName,
  balance: "round_robin",
  connectTimeoutMs: 5000,
  connectAttemptsMax: 3,
  serverIdleTimeoutMs: holdMs,
  halfCloseTimeoutMs: holdMs,
  ...farmPolicyDefaults,
};

function listenerAt(port: number): Listener {
  return {
    kind: "listener",
    name: nodeListener,
    addresses: [joinSocketAddress("127.0.0.1", port)],
    helloBytesMax: 65_536,
    helloDeadlineMs: 60_000,
    clientIdleTimeoutMs: holdMs,
    connectionsMax,
    defaultAction: { to: "reject", alert: "unrecognized_name" },
    nonTlsFarm: null,
    proxyNetworks: [],
  };
}

function serverAt(index: number, port: number): Server {
  const address = joinSocketAddress("127.0.0.1", port);
  return {
    kind: "server",
    name: `${farmName}/servers/s${index}`,
    address,
    weight: 1,
    region: "",
    backup: false,
    state: "ready",
    connectionsMax: 0,
    checkAddress: null,
  };
}

/** Names as long as they are in a large service: 40 bytes or so. */
function anotherRoute(id: string, index: number, revision: number): Route {
  return routeOf(`${id}${index}`, `service-${index}.region-${index % 40}.c${revision}.example.net`);
}

function routeOf(id: string, name: string): Route {
  return {
    kind: "route",
    name: `${nodeListener}/routes/${id}`,
    match: {
      serverNames: [name as ServerNamePattern],
      noServerName: false,
      alpnProtocols: [],
      sourceNetworks: [],
    },
    action: { to: "farm", farm: farmName },
  };
}
