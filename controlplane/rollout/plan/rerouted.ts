import type { Configuration } from "../../../model/configuration.ts";
import { chooseRoute } from "../../../model/match-route.ts";
import type { Action } from "../../../model/resource.ts";
import { CandidateRoutes } from "./candidate-routes.ts";
import { type RolloutPlan, type RoutedDifferently, shownHellosMax } from "./rollout-plan.ts";
import type { SampledHello } from "./sampled-hello.ts";

type Routed = Pick<Configuration, "routes" | "listeners">;

/**
 * Which of the sampled hellos would go elsewhere: to another farm, to another server that a route names, or be refused otherwise.
 * Another route to the same place is no difference to a client.
 */
export function rerouted(
  base: Routed,
  target: Routed,
  hellos: readonly SampledHello[],
): Pick<RolloutPlan, "hellos" | "hellosChanged" | "hellosSampled"> {
  const routesNow = new CandidateRoutes(base.routes.values(), hellos);
  const routesThen = new CandidateRoutes(target.routes.values(), hellos);
  const different: RoutedDifferently[] = [];
  let hellosChanged = 0;
  let hellosSampled = 0;
  for (const hello of hellos) {
    hellosSampled += hello.count;
    const now = outcome(base, routesNow, hello);
    const then = outcome(target, routesThen, hello);
    if (now.leadsTo === then.leadsTo) continue;
    hellosChanged += hello.count;
    different.push({ hello, before: now.text, after: then.text });
  }
  different.sort((left, right) => right.hello.count - left.hello.count);
  return { hellos: different.slice(0, shownHellosMax), hellosChanged, hellosSampled };
}

interface Outcome {
  readonly leadsTo: string;
  readonly text: string;
}

function outcome({ listeners }: Routed, routes: CandidateRoutes, hello: SampledHello): Outcome {
  const { serverName, alpnProtocols } = hello;
  const listener = listeners.get(hello.listener);
  if (listener === undefined) return { leadsTo: "", text: "no listener" };
  const chosen = chooseRoute(routes.of(hello), { serverName, alpnProtocols, source: null });
  const leadsTo = actionText(chosen?.route.action ?? listener.defaultAction);
  return { leadsTo, text: `${chosen?.route.name ?? "default"} -> ${leadsTo}` };
}

function actionText(action: Action): string {
  switch (action.to) {
    case "farm":
      return action.farm;
    case "server":
      return action.server;
    case "reject":
      return `reject ${action.alert}`;
  }
}
