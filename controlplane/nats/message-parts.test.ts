import { expect, test } from "vitest";
import { labelText, parseLabel, partBytesMax, PartCollector, type PartLabel, partsOf } from "./message-parts.ts";

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => index % 251);

/** Compared as bytes: element by element takes seconds. */
const same = (left: Uint8Array | undefined, right: Uint8Array): boolean =>
  left !== undefined && Buffer.compare(left, right) === 0;

/** What comes out at the end of the given parts, by their place. */
function collected(parts: readonly Uint8Array[], order: readonly number[], message = 1): Uint8Array | undefined {
  const collector = new PartCollector();
  let whole: Uint8Array | undefined;
  for (const index of order) {
    const label = { sender: "s", message, index, count: parts.length };
    whole = collector.take(label, parts[index] as Uint8Array);
  }
  return whole;
}

test.each([
  ["nothing", 0, 1],
  ["a byte", 1, 1],
  ["one part to the brim", partBytesMax, 1],
  ["one byte more", partBytesMax + 1, 2],
  ["many", 5 * partBytesMax - 7, 5],
])("%s goes in parts and comes back", (_what, length, count) => {
  const message = bytes(length);
  const parts = partsOf(message);
  expect(parts.map((part) => part.length <= partBytesMax)).toEqual(Array.from({ length: count }, () => true));
  expect(same(collected(parts, [...parts.keys()]), message)).toBe(true);
});

test("a part that is missing, or out of its order, costs its message and no other", () => {
  const parts = partsOf(bytes(3 * partBytesMax));
  for (const order of [[0, 2], [1, 2], [2], [0, 2, 1], [0, 0, 2], [0, 1, 1]])
    expect(collected(parts, order)?.length).toBeUndefined();
  expect(same(collected(parts, [1, 0, 1, 2]), bytes(3 * partBytesMax))).toBe(true);
  const collector = new PartCollector();
  collector.take({ sender: "s", message: 1, index: 0, count: 2 }, bytes(1));
  expect(collector.take({ sender: "s", message: 2, index: 1, count: 2 }, bytes(1))).toBeUndefined();
});

test("what is larger than a message may be is not collected", () => {
  const collector = new PartCollector();
  const count = 40;
  const part = bytes(2 * 1024 * 1024);
  const ends = Array.from({ length: count }, (_, index) =>
    collector.take({ sender: "s", message: 1, index, count }, part),
  );
  expect(ends.every((end) => end === undefined)).toBe(true);
});

test.each<[string, PartLabel | undefined]>([
  ["cp-1 7 0 2", { sender: "cp-1", message: 7, index: 0, count: 2 }],
  ["cp-1 7 2 2", undefined],
  ["cp-1 7 0 0", undefined],
  ["cp-1 7 0", undefined],
  ["cp 1 7 0 2", undefined],
  ["cp-1 7 -1 2", undefined],
  [`${"x".repeat(129)} 7 0 2`, undefined],
  ["", undefined],
])("the label %j", (text, label) => {
  expect(parseLabel(text)).toEqual(label);
  if (label !== undefined) expect(labelText(label)).toBe(text);
});
