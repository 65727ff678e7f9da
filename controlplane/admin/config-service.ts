import { setImmediate } from "node:timers/promises";
import * as api from "../../proto/gen/switchyard/config/v1/config_service.ts";
import type { Violation } from "../../model/violation.ts";
import { parseResource } from "../../model/wire/parse-resource.ts";
import type { Wish } from "../decide/command.ts";
import type { EventLog } from "../log/event-log.ts";
import type { Committer } from "../state/committer.ts";
import type { LiveConfiguration } from "../state/live-configuration.ts";
import { configurationAt } from "../state/log-follower.ts";
import { getCommit, listCommits } from "./commit-methods.ts";
import { type InternalFault, streaming, unary } from "./handler.ts";
import { kindField } from "./kind-field.ts";
import { Listings } from "./listing.ts";
import { liveBytes } from "./live-bytes.ts";
import { knownRevision } from "./known-revision.ts";
import { Refused } from "./refused.ts";
import { planToWire, ResourceMethods } from "./resource-methods.ts";
import { streamState } from "./stream-state.ts";
import { type CommitWatchers, watchCommits } from "./watch-commits.ts";

/** What the admin API works on; its owner is the control plane's process. */
export interface ConfigParts {
  readonly log: EventLog;
  readonly live: LiveConfiguration;
  readonly committer: Committer;
  readonly watchers: CommitWatchers;
  /** Aborts when the server stops. */
  readonly stopping: AbortSignal;
  readonly fault: InternalFault;
}

/** Resources that are parsed before other calls may come in between. */
const resourcesPerTurn = 5000;

/**
 * Resources in one Apply. What fits into one message and one commit is less, unless they say next to nothing; then they
 * would take memory out of all proportion to the message.
 */
const resourcesMax = 500_000;

/** The admin API's methods. */
export function configService(parts: ConfigParts): api.ConfigServiceServer {
  const { log, live, committer, fault, stopping } = parts;
  const methods = new ResourceMethods(live, committer, new Listings(log, live));
  return {
    ...listenerMethods(methods, fault),
    ...routeMethods(methods, fault),
    ...farmMethods(methods, fault),
    ...serverMethods(methods, fault),
    ...rolloutPolicyMethods(methods, fault),
    apply: unary(fault, (request) => apply(methods, request)),
    revert: unary(fault, (request) => revert(methods, log, request)),
    listCommits: unary(fault, (request) => listCommits(log, request)),
    getCommit: unary(fault, (request) => getCommit(log, request)),
    getState: streaming(fault, stopping, (request, send) => streamState(log, live, request, send)),
    watchCommits: streaming(fault, stopping, (request, send, signal) => watchCommits(parts, request, send, signal)),
  };
}

async function apply(methods: ResourceMethods, request: api.ApplyRequest): Promise<api.ApplyResponse> {
  const violations: Violation[] = [];
  const wishes: Wish[] = [];
  if (request.resources.length > resourcesMax) {
    const description = `${request.resources.length} resources; at most ${resourcesMax} are allowed`;
    throw Refused.by("INVALID_FIELD", [{ field: "resources", reason: "too_many", description }]);
  }
  for (const [index, message] of request.resources.entries()) {
    if (index % resourcesPerTurn === resourcesPerTurn - 1) await setImmediate();
    const path = `resources[${index}]`;
    const resource = parseResource(message, path, violations);
    const kind = message.kind;
    if (resource !== undefined && kind !== undefined)
      wishes.push({ resource, path: `${path}.${kindField[kind.$case]}`, etag: kind.value.etag });
  }
  if (violations.length > 0) throw Refused.by("INVALID_FIELD", violations);
  const bytes = liveBytes(api.ApplyRequest, request);
  const committed = await methods.run({ type: "apply", wishes, prune: request.prune }, request.write, bytes);
  const made = committed.lines.filter((line) => line.verb !== "delete").length;
  return { plan: planToWire(committed.lines, wishes.length - made), revision: BigInt(committed.revision) };
}

async function revert(
  methods: ResourceMethods,
  log: EventLog,
  request: api.RevertRequest,
): Promise<api.RevertResponse> {
  const revision = knownRevision(request.revision, await log.head());
  const target = await configurationAt(log, revision);
  const bytes = liveBytes(api.RevertRequest, request);
  const committed = await methods.run({ type: "revert", target }, request.write, bytes);
  return { plan: planToWire(committed.lines, 0), revision: BigInt(committed.revision) };
}

function listenerMethods(methods: ResourceMethods, fault: InternalFault) {
  return {
    getListener: unary(fault, async ({ name }: api.GetListenerRequest) => ({
      listener: await methods.get("listener", name),
    })),
    listListeners: unary(fault, async (request: api.ListListenersRequest) => {
      const { messages, ...page } = await methods.list("listener", request);
      return { listeners: messages, ...page };
    }),
    createListener: unary(fault, async (request: api.CreateListenerRequest) => {
      const bytes = liveBytes(api.CreateListenerRequest, request);
      const { message, revision } = await methods.create("listener", request.listener, request.write, bytes);
      return { listener: message, revision };
    }),
    updateListener: unary(fault, async (request: api.UpdateListenerRequest) => {
      const bytes = liveBytes(api.UpdateListenerRequest, request);
      const { message, revision } = await methods.update(
        "listener",
        request.listener,
        request.updateMask,
        request.write,
        bytes,
      );
      return { listener: message, revision };
    }),
    deleteListener: unary(fault, async (request: api.DeleteListenerRequest) =>
      methods.delete("listener", request, request.write, liveBytes(api.DeleteListenerRequest, request)),
    ),
  };
}

function routeMethods(methods: ResourceMethods, fault: InternalFault) {
  return {
    getRoute: unary(fault, async ({ name }: api.GetRouteRequest) => ({ route: await methods.get("route", name) })),
    listRoutes: unary(fault, async (request: api.ListRoutesRequest) => {
      const { messages, ...page } = await methods.list("route", request);
      return { routes: messages, ...page };
    }),
    createRoute: unary(fault, async (request: api.CreateRouteRequest) => {
      const bytes = liveBytes(api.CreateRouteRequest, request);
      const { message, revision } = await methods.create("route", request.route, request.write, bytes);
      return { route: message, revision };
    }),
    updateRoute: unary(fault, async (request: api.UpdateRouteRequest) => {
      const bytes = liveBytes(api.UpdateRouteRequest, request);
      const { message, revision } = await methods.update(
        "route",
        request.route,
        request.updateMask,
        request.write,
        bytes,
      );
      return { route: message, revision };
    }),
    deleteRoute: unary(fault, async (request: api.DeleteRouteRequest) =>
      methods.delete("route", request, request.write, liveBytes(api.DeleteRouteRequest, request)),
    ),
  };
}

function farmMethods(methods: ResourceMethods, fault: InternalFault) {
  return {
    getFarm: unary(fault, async ({ name }: api.GetFarmRequest) => ({ farm: await methods.get("farm", name) })),
    listFarms: unary(fault, async (request: api.ListFarmsRequest) => {
      const { messages, ...page } = await methods.list("farm", request);
      return { farms: messages, ...page };
    }),
    createFarm: unary(fault, async (request: api.CreateFarmRequest) => {
      const bytes = liveBytes(api.CreateFarmRequest, request);
      const { message, revision } = await methods.create("farm", request.farm, request.write, bytes);
      return { farm: message, revision };
    }),
    updateFarm: unary(fault, async (request: api.UpdateFarmRequest) => {
      const bytes = liveBytes(api.UpdateFarmRequest, request);
      const { message, revision } = await methods.update(
        "farm",
        request.farm,
        request.updateMask,
        request.write,
        bytes,
      );
      return { farm: message, revision };
    }),
    deleteFarm: unary(fault, async (request: api.DeleteFarmRequest) =>
      methods.delete("farm", request, request.write, liveBytes(api.DeleteFarmRequest, request)),
    ),
  };
}

function serverMethods(methods: ResourceMethods, fault: InternalFault) {
  return {
    getServer: unary(fault, async ({ name }: api.GetServerRequest) => ({ server: await methods.get("server", name) })),
    listServers: unary(fault, async (request: api.ListServersRequest) => {
      const { messages, ...page } = await methods.list("server", request);
      return { servers: messages, ...page };
    }),
    createServer: unary(fault, async (request: api.CreateServerRequest) => {
      const bytes = liveBytes(api.CreateServerRequest, request);
      const { message, revision } = await methods.create("server", request.server, request.write, bytes);
      return { server: message, revision };
    }),
    updateServer: unary(fault, async (request: api.UpdateServerRequest) => {
      const bytes = liveBytes(api.UpdateServerRequest, request);
      const { message, revision } = await methods.update(
        "server",
        request.server,
        request.updateMask,
        request.write,
        bytes,
      );
      return { server: message, revision };
    }),
    deleteServer: unary(fault, async (request: api.DeleteServerRequest) =>
      methods.delete("server", request, request.write, liveBytes(api.DeleteServerRequest, request)),
    ),
  };
}

function rolloutPolicyMethods(methods: ResourceMethods, fault: InternalFault) {
  return {
    getRolloutPolicy: unary(fault, async ({ name }: api.GetRolloutPolicyRequest) => ({
      rolloutPolicy: await methods.get("rolloutPolicy", name),
    })),
    listRolloutPolicies: unary(fault, async (request: api.ListRolloutPoliciesRequest) => {
      const { messages, ...page } = await methods.list("rolloutPolicy", request);
      return { rolloutPolicies: messages, ...page };
    }),
    createRolloutPolicy: unary(fault, async (request: api.CreateRolloutPolicyRequest) => {
      const bytes = liveBytes(api.CreateRolloutPolicyRequest, request);
      const { message, revision } = await methods.create("rolloutPolicy", request.rolloutPolicy, request.write, bytes);
      return { rolloutPolicy: message, revision };
    }),
    updateRolloutPolicy: unary(fault, async (request: api.UpdateRolloutPolicyRequest) => {
      const bytes = liveBytes(api.UpdateRolloutPolicyRequest, request);
      const { message, revision } = await methods.update(
        "rolloutPolicy",
        request.rolloutPolicy,
        request.updateMask,
        request.write,
        bytes,
      );
      return { rolloutPolicy: message, revision };
    }),
    deleteRolloutPolicy: unary(fault, async (request: api.DeleteRolloutPolicyRequest) =>
      methods.delete("rolloutPolicy", request, request.write, liveBytes(api.DeleteRolloutPolicyRequest, request)),
    ),
  };
}
