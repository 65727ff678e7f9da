import { Gauge, type Registry } from "prom-client";
import type { ControlPlane } from "./control-plane.ts";
import type { JetStreamLogStatus } from "./nats/jetstream-event-log.ts";

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

const logStates: readonly JetStreamLogStatus["state"][] = ["following", "disconnected", "repairing"];

/** How a log that is shared by several replicas stands: of its states, one is 1. */
export function registerLogMetrics(registry: Registry, status: () => JetStreamLogStatus): void {
  const gauge: Gauge<"state"> = new Gauge({
    name: "switchyard_controlplane_log_state",
    help: "1 for the state that the log is in, 0 for the others; commits are taken while it is `following`.",
    labelNames: ["state"],
    registers: [registry],
    collect: () => {
      const { state } = status();
      for (const each of logStates) gauge.set({ state: each }, each === state ? 1 : 0);
    },
  });
}
