import fc from "fast-check";
import { expect, it } from "vitest";
import { HeldBytes } from "./held-bytes.ts";

it("what was appended is taken, in order, and then there is none", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 20 }), (chunks) => {
      const held = new HeldBytes();
      const kept = chunks.map((chunk) => Buffer.from(chunk));
      for (const chunk of chunks) held.append(chunk);
      const all = Buffer.concat(kept);
      expect(held.length).toBe(all.length);
      expect(Buffer.from(held.take()).equals(all)).toBe(true);
      expect(held.length).toBe(0);
      expect(held.take()).toHaveLength(0);
      // A chunk may still be read by who gave it.
      expect(chunks.map((chunk) => Buffer.from(chunk))).toEqual(kept);
    }),
    { seed: Number(process.env["SWITCHYARD_TEST_SEED"] ?? 1) },
  );
});

it("bytes that come one by one are held in at most twice their number, and 256", () => {
  const held = new HeldBytes();
  for (let count = 1; count <= 5000; count += 1) {
    held.append(Uint8Array.of(count & 0xff));
    expect(held.length).toBe(count);
  }
  expect(held.take().buffer.byteLength).toBeLessThanOrEqual(2 * 5000);
});

it("what is dropped is held no more, and what comes then is behind the rest", () => {
  const held = new HeldBytes();
  held.append(Uint8Array.of(1, 2, 3));
  held.drop(0);
  held.drop(2);
  expect([held.length, ...held.bytes]).toEqual([1, 3]);
  held.append(Uint8Array.of(4, 5));
  held.drop(1);
  held.append(Uint8Array.of(6));
  expect([...held.take()]).toEqual([4, 5, 6]);
});
