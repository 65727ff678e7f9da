import type { RunningTarget, Target, TargetSetup } from "./target.ts";

/** No proxy: the generator talks to the sink. What it reaches is the ceiling of the generator, not of any proxy. */
export const directTarget: Target = {
  name: "direct",
  availability: () => Promise.resolve({ available: true, version: "no proxy" }),
  start: (setup: TargetSetup): Promise<RunningTarget> =>
    Promise.resolve({ ports: setup.serverPorts, pid: undefined, stop: () => Promise.resolve() }),
};
