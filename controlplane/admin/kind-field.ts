import type { ResourceKind } from "../../model/resource-name.ts";

/** What the field of a request is called that holds a resource of the kind, for violations. */
export const kindField: Readonly<Record<ResourceKind, string>> = {
  listener: "listener",
  route: "route",
  farm: "farm",
  server: "server",
  rolloutPolicy: "rollout_policy",
};
