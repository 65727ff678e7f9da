import { expect, it } from "vitest";
import { assertTransition, type ConnectionPhase } from "./connection-state.ts";

const phases: readonly ConnectionPhase[] = ["hello", "waiting", "dialling", "spliced", "lingering", "ended"];
const legal = new Set([
  "hello waiting",
  "hello dialling",
  "hello lingering",
  "hello ended",
  "waiting dialling",
  "waiting lingering",
  "waiting ended",
  "dialling waiting",
  "dialling dialling",
  "dialling spliced",
  "dialling lingering",
  "dialling ended",
  "spliced ended",
  "lingering ended",
]);

it.each(phases.flatMap((from) => phases.map((to) => [from, to] as const)))(
  "%s to %s is legal or throws",
  (from, to) => {
    const go = (): void => assertTransition(from, to);
    if (legal.has(`${from} ${to}`)) expect(go).not.toThrow();
    else expect(go).toThrow(`from ${from} to ${to}`);
  },
);
