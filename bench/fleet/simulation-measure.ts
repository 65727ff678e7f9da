import type { FleetMeasure } from "./fleet-measure.ts";
import { badWeather, simulateFleet } from "./fleet-simulation.ts";

/** Ten thousand nodes in one process: what no machine could start as processes. */
export const simulationMeasure: FleetMeasure = {
  name: "simulation",
  title: "simulated nodes in one process, virtual network",
  obstacle: () => Promise.resolve(undefined),
  async take({ sizes, index, report }) {
    const seed = sizes.seed + index;
    report(`simulation: seed ${seed}`);
    const startedMs = performance.now();
    const result = await simulateFleet({
      seed,
      nodes: sizes.simulatedNodes,
      commits: sizes.simulatedCommits,
      weather: badWeather,
    });
    report(`simulation: fingerprint ${result.fingerprint}`);
    if (result.settledMs === undefined)
      throw new Error(`seed ${seed}: only ${result.current} of ${sizes.simulatedNodes} nodes became current`);
    return {
      seed,
      nodes: sizes.simulatedNodes,
      commits: sizes.simulatedCommits,
      current: result.current,
      digestsEqual: result.digestsEqual,
      settledVirtualMs: result.settledMs,
      messages: result.network.sent,
      lost: result.network.lost + result.network.cutOff,
      fetched: result.fetched,
      restarts: result.restarts,
      realSeconds: (performance.now() - startedMs) / 1000,
    };
  },
};
