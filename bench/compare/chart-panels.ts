import type { MeasureName } from "./measure.ts";
import { medianOf, type Results } from "./results.ts";
import type { Bar, Panel } from "./svg-chart.ts";

interface PanelSpec {
  readonly title: string;
  readonly measure: MeasureName;
  readonly figure: string;
  readonly better: Panel["better"];
  readonly show: (value: number) => string;
}

const specs: readonly PanelSpec[] = [
  {
    title: "CPU per short connection",
    measure: "rate",
    figure: "cpuUsPerConnection",
    better: "less",
    show: (value) => `${value.toFixed(1)} µs`,
  },
  {
    title: "Connections a second, one core",
    measure: "rate",
    figure: "connectionsPerSecond",
    better: "more",
    show: thousands,
  },
  {
    title: "Bulk, 16 streams both ways",
    measure: "bulk",
    figure: "bytesPerSecond",
    better: "more",
    show: (value) => `${(value / 1e9).toFixed(2)} GB/s`,
  },
  {
    title: "64-byte round trips a second",
    measure: "rtt",
    figure: "roundTripsPerSecond",
    better: "more",
    show: thousands,
  },
  {
    title: "Memory per idle pair",
    measure: "idle",
    figure: "bytesPerConnection",
    better: "less",
    show: kibibytes,
  },
  {
    title: "Memory per half-received hello",
    measure: "half-hello",
    figure: "bytesPerConnection",
    better: "less",
    show: kibibytes,
  },
];

const labels: Readonly<Record<string, string>> = {
  switchyard: "Switchyard",
  "switchyard-portable": "Switchyard, portable",
  haproxy: "HAProxy",
  "haproxy-tuned": "HAProxy, tuned",
  nginx: "nginx",
};

/** A panel for each measure that was taken; the generator's own ceiling is left out. */
export function chartPanels(measures: Results["measures"]): readonly Panel[] {
  return specs.flatMap((spec) => {
    const targets = Object.keys(measures[spec.measure] ?? {}).filter((target) => target !== "direct");
    if (targets.length === 0) return [];
    const bars = targets.map((target): Bar => {
      const value = medianOf(measures, spec.measure, target, spec.figure);
      return {
        label: labels[target] ?? target,
        value,
        text: value === undefined ? "" : spec.show(value),
        ours: target.startsWith("switchyard"),
      };
    });
    return [{ title: spec.title, better: spec.better, bars }];
  });
}

function thousands(value: number): string {
  return `${(value / 1000).toFixed(1)}k`;
}

function kibibytes(value: number): string {
  return `${(value / 1024).toFixed(1)} KiB`;
}
