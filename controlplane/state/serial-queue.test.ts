import { expect, test } from "vitest";
import { QueueFull, SerialQueue } from "./serial-queue.ts";

test("tasks run one after another, in the order of the calls, whatever each comes to", async () => {
  const queue = new SerialQueue(10);
  const steps: string[] = [];
  const task = (name: string, fails = false) =>
    queue.run(async () => {
      steps.push(`${name} begins`);
      await Promise.resolve();
      steps.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const outcomes = await Promise.allSettled([task("a"), task("b", true), task("c")]);
  expect(steps).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});

test("above its limit a task is turned away without being begun; room comes back", async () => {
  const queue = new SerialQueue(2);
  let finish: () => void = () => undefined;
  const held = queue.run(() => new Promise<void>((resolve) => (finish = resolve)));
  const waiting = queue.run(async () => undefined);
  await expect(queue.run(async () => expect.fail("it was begun"))).rejects.toThrow(QueueFull);
  finish();
  await Promise.all([held, waiting]);
  expect(await queue.run(async () => "room")).toBe("room");
});
