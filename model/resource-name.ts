/** Resource names (AIP-122): `collection/id`, nested for routes and servers. */

export type ListenerName = `listeners/${string}`;
export type RouteName = `listeners/${string}/routes/${string}`;
export type FarmName = `farms/${string}`;
export type ServerResourceName = `farms/${string}/servers/${string}`;
export type RolloutPolicyName = `rolloutPolicies/${string}`;
export type ResourceName = ListenerName | RouteName | FarmName | ServerResourceName | RolloutPolicyName;

/** Rollouts have names, and are no resources: they are known by their events. */
export type RolloutName = `rollouts/${string}`;

export type ResourceKind = "listener" | "route" | "farm" | "server" | "rolloutPolicy";

/** The policy that is in force for every commit. */
export const defaultRolloutPolicy: RolloutPolicyName = "rolloutPolicies/default";

const id = "[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?";

const shapes: Record<ResourceKind, RegExp> = {
  listener: new RegExp(`^listeners/${id}$`),
  route: new RegExp(`^listeners/${id}/routes/${id}$`),
  farm: new RegExp(`^farms/${id}$`),
  server: new RegExp(`^farms/${id}/servers/${id}$`),
  rolloutPolicy: new RegExp(`^rolloutPolicies/${id}$`),
};

/** The pattern of each kind's names, for messages. */
export const nameShape: Record<ResourceKind, string> = {
  listener: "listeners/{listener}",
  route: "listeners/{listener}/routes/{route}",
  farm: "farms/{farm}",
  server: "farms/{farm}/servers/{server}",
  rolloutPolicy: "rolloutPolicies/{policy}",
};

export function isListenerName(text: string): text is ListenerName {
  return shapes.listener.test(text);
}
export function isRouteName(text: string): text is RouteName {
  return shapes.route.test(text);
}
export function isFarmName(text: string): text is FarmName {
  return shapes.farm.test(text);
}
export function isServerResourceName(text: string): text is ServerResourceName {
  return shapes.server.test(text);
}

export function isRolloutPolicyName(text: string): text is RolloutPolicyName {
  return shapes.rolloutPolicy.test(text);
}

const rolloutShape = new RegExp(`^rollouts/${id}$`);

export function isRolloutName(text: string): text is RolloutName {
  return rolloutShape.test(text);
}

/** The kind that a name is of, or undefined where it is no resource name. */
export function kindOfName(text: string): ResourceKind | undefined {
  const parts = text.split("/").length;
  if (text.startsWith("listeners/")) {
    if (parts === 2) return isListenerName(text) ? "listener" : undefined;
    return isRouteName(text) ? "route" : undefined;
  }
  if (text.startsWith("rolloutPolicies/")) return isRolloutPolicyName(text) ? "rolloutPolicy" : undefined;
  if (parts === 2) return isFarmName(text) ? "farm" : undefined;
  return isServerResourceName(text) ? "server" : undefined;
}

/** The listener of a route. */
export function listenerOf(route: RouteName): ListenerName {
  return route.slice(0, route.indexOf("/", "listeners/".length)) as ListenerName;
}

/** The farm of a server. */
export function farmOf(server: ServerResourceName): FarmName {
  return server.slice(0, server.indexOf("/", "farms/".length)) as FarmName;
}
