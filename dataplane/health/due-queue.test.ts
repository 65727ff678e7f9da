import { expect, it } from "vitest";
import { runSeed, seededRandom } from "../../test/support/seeded-random.ts";
import { type Due, DueQueue } from "./due-queue.ts";

it("has first what is due first, whatever was put, moved and taken out before", () => {
  const random = seededRandom(runSeed());
  const queue = new DueQueue<Due>();
  const entries = new Set<Due>();
  for (let step = 0; step < 20_000; step += 1) {
    const kind = random();
    const [any] = entries;
    if (kind < 0.5 || any === undefined) {
      const entry = { dueMs: 0, position: -1 };
      entries.add(entry);
      queue.put(entry, Math.floor(random() * 1000));
    } else if (kind < 0.75) queue.put(any, Math.floor(random() * 1000));
    else {
      const gone = kind < 0.9 ? any : (queue.first as Due);
      queue.remove(gone);
      entries.delete(gone);
      queue.remove(gone);
    }
    expect(queue.size).toBe(entries.size);
    if (step % 50 === 0)
      expect(queue.first?.dueMs).toBe(
        entries.size === 0 ? undefined : Math.min(...Array.from(entries, (e) => e.dueMs)),
      );
  }
});
