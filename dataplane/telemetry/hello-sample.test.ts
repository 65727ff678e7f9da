import { expect, it } from "vitest";
import { HelloSample } from "./hello-sample.ts";

const offering = (...protocols: string[]) => ({ alpnProtocols: () => protocols });

it("tells hellos apart by listener, name and protocols in their order, the most frequent first, once", () => {
  const sample = new HelloSample();
  for (let each = 0; each < 3; each += 1) sample.saw("listeners/a", "x.test", offering("h2"));
  sample.saw("listeners/a", "x.test", offering("h2", "http/1.1"));
  for (let each = 0; each < 2; each += 1) sample.saw("listeners/b", null, offering());
  expect(sample.take()).toEqual([
    { listener: "listeners/a", serverName: "x.test", alpnProtocols: ["h2"], count: 3 },
    { listener: "listeners/b", serverName: "", alpnProtocols: [], count: 2 },
    { listener: "listeners/a", serverName: "x.test", alpnProtocols: ["h2", "http/1.1"], count: 1 },
  ]);
  expect(sample.take()).toBeUndefined();
});

it("looks at few of many, and counts them for all", () => {
  const sample = new HelloSample();
  let looks = 0;
  const hello = { alpnProtocols: () => ((looks += 1), ["h2"]) };
  for (let each = 0; each < 1_000_000; each += 1)
    sample.saw("listeners/a", each % 4 === 0 ? "rare.test" : "often.test", hello);
  expect(looks).toBeLessThan(12_000);
  const counts = new Map(sample.take()?.map(({ serverName, count }) => [serverName, count]));
  expect(counts.get("rare.test")! / 250_000).toBeCloseTo(1, 0);
  expect(counts.get("often.test")! / 750_000).toBeCloseTo(1, 0);
});

it.each([
  ["names", (index: number) => [`n${index}.test`, []] as const],
  ["protocols", (index: number) => ["x.test", [`p${index}`]] as const],
])("holds a bounded number of different %s", (_, of) => {
  const sample = new HelloSample();
  for (let index = 0; index < 100_000; index += 1) {
    const [name, protocols] = of(index);
    sample.saw("listeners/a", name, offering(...protocols));
  }
  expect(sample.take()).toHaveLength(200);
});

it("leaves a hello out that offers more protocols than clients do", () => {
  const sample = new HelloSample();
  sample.saw("listeners/a", "x.test", offering(...Array.from({ length: 17 }, (_, index) => `p${index}`)));
  expect(sample.take()).toBeUndefined();
});
