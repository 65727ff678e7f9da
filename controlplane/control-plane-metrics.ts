import { Gauge, type Registry } from "prom-client";
import type { ControlPlane } from "./control-plane.ts";

const gauges = [
  ["revision", "Revision of the configuration that the log ends with."],
  ["resources", "Listeners, routes, farms and servers of the configuration."],
  ["followers", "Open WatchCommits streams."],
  ["nodes", "Nodes with a session now, with this replica."],
  ["replicas", "Control-plane replicas that were heard of in the last seconds, with this one."],
] as const;

/** The control plane's numbers, read when they are asked for. */
export function registerControlPlaneMetrics(registry: Registry, controlPlane: ControlPlane): void {
  for (const [key, help] of gauges) {
    const gauge: Gauge = new Gauge({
      name: `switchyard_controlplane_${key}`,
      help,
      registers: [registry],
      collect: () => gauge.set(controlPlane.stats()[key]),
    });
  }
}
