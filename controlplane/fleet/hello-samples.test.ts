import { expect, it } from "vitest";
import type { ServerName } from "../../model/server-name.ts";
import type { SampledHello } from "../rollout/plan/sampled-hello.ts";
import { HelloSamples, hellosFromWire, hellosToWire, recentHellosMax, toldHellosMax } from "./hello-samples.ts";

const hello = (name: string, count: number): SampledHello => ({
  listener: "listeners/edge",
  serverName: name as ServerName,
  alpnProtocols: ["h2"],
  count,
});
const counts = (hellos: readonly SampledHello[]) => hellos.map(({ serverName, count }) => [serverName, count]);

it("adds up the last sample of each node and of each other replica, and forgets those that have gone", () => {
  const samples = new HelloSamples();
  samples.take("a", [hello("old.test", 9)]);
  samples.take("a", [hello("x.test", 1), hello("y.test", 2)]);
  samples.take("b", [hello("x.test", 4)]);
  samples.hear("cp-2", [hello("y.test", 40)]);
  expect(counts(samples.recent())).toEqual([
    ["y.test", 42],
    ["x.test", 5],
  ]);
  expect(counts(samples.own())).toEqual([
    ["x.test", 5],
    ["y.test", 2],
  ]);
  samples.lose("cp-2");
  samples.forget("b");
  samples.forget("b");
  expect(counts(samples.recent())).toEqual([
    ["y.test", 2],
    ["x.test", 1],
  ]);
});

it("gives out a bounded number", () => {
  const samples = new HelloSamples();
  for (let node = 0; node < 30; node += 1)
    samples.take(
      `n${node}`,
      Array.from({ length: 200 }, (_, index) => hello(`n${node}-${index}.test`, 1)),
    );
  expect([samples.own().length, samples.recent().length]).toEqual([toldHellosMax, recentHellosMax]);
});

const wire = hellosToWire([hello("x.test", 3)]).hellos[0]!;
it.each([
  ["a sound one", {}, true],
  ["one without a name", { serverName: "" }, true],
  ["a listener that is none", { listener: "farms/a" }, false],
  ["a name with a blank", { serverName: "a b" }, false],
  ["too many protocols", { alpnProtocols: Array.from({ length: 17 }, () => "h2") }, false],
  ["a long protocol", { alpnProtocols: ["x".repeat(256)] }, false],
  ["more than a node can see", { count: 2n ** 60n }, false],
])("of the hellos that a node tells, the answer to %s is right", (_, fields, sound) => {
  expect(typeof hellosFromWire({ hellos: [{ ...wire, ...fields }] }, 1)).toBe(sound ? "object" : "string");
  expect(typeof hellosFromWire({ hellos: [wire, wire] }, 1)).toBe("string");
});
