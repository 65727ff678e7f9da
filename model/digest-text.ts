import { canonicalText } from "./resource-fields.ts";
import type { Action, Resource, Route } from "./resource.ts";

/**
 * The canonical text, put together by hand for routes: of them there are a million, and a commit may change 100,000. A
 * test holds it against `canonicalText`, which says what it is.
 */
export function digestText(resource: Resource): string {
  return resource.kind === "route" ? routeText(resource) : canonicalText(resource);
}

function routeText({ name, match, action }: Route): string {
  const { serverNames, noServerName, alpnProtocols, sourceNetworks } = match;
  const lists = `${listText(serverNames)},${noServerName},${listText(alpnProtocols)},${listText(sourceNetworks)}`;
  return `["route",${JSON.stringify(name)},${lists},${actionText(action)}]`;
}

function listText(values: readonly string[]): string {
  if (values.length === 0) return "[]";
  return values.length === 1 ? `[${JSON.stringify(values[0])}]` : JSON.stringify(values);
}

/** Its entries in the order of their keys. */
function actionText(action: Action): string {
  switch (action.to) {
    case "farm":
      return `[["farm",${JSON.stringify(action.farm)}],["to","farm"]]`;
    case "server":
      return `[["server",${JSON.stringify(action.server)}],["to","server"]]`;
    case "reject":
      return `[["alert","${action.alert}"],["to","reject"]]`;
  }
}
