import { describe, expect, it } from "vitest";
import type { PlacedRecord } from "./log-reader.ts";
import { readAhead } from "./read-ahead.ts";

const mebibyte = 1024 * 1024;

/** A reader that answers when it is told to, and counts. */
class SlowReader {
  readonly asked: number[] = [];
  readonly #answers: (() => void)[] = [];
  readonly #size: number;
  readonly #missing: number;

  constructor(size: number, missing = -1) {
    this.#size = size;
    this.#missing = missing;
  }

  async record(revision: number): Promise<PlacedRecord | undefined> {
    this.asked.push(revision);
    await new Promise<void>((resolve) => void this.#answers.push(resolve));
    if (revision === this.#missing) return undefined;
    return { revision, record: { record: "malformed", detail: "" }, size: this.#size };
  }

  /** Answers what is under way, the last first. */
  async answer(): Promise<void> {
    for (const answer of this.#answers.splice(0).toReversed()) answer();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function collect(records: AsyncGenerator<PlacedRecord>, reader: SlowReader, taken: number[]): Promise<string> {
  let ended = false;
  const reading = (async () => {
    for await (const { revision } of records) taken.push(revision);
    return "done";
  })().catch((error: unknown) => String(error));
  const end = reading.then((text) => {
    ended = true;
    return text;
  });
  while (!ended) await reader.answer();
  return end;
}

describe("reading ahead", () => {
  it("gives each revision once and in order, however the answers come", async () => {
    const [reader, taken]: [SlowReader, number[]] = [new SlowReader(10), []];
    expect(await collect(readAhead(reader, 7, 300), reader, taken)).toBe("done");
    expect(taken).toEqual(Array.from({ length: 294 }, (_, index) => 7 + index));
  });

  it.each([
    ["64 at once", 10, 64],
    ["no more than 16 MiB that wait, and what was under way", mebibyte, 64 + 16],
  ])("asks for %s", async (_what, size, askedMax) => {
    const reader = new SlowReader(size);
    const records = readAhead(reader, 1, 1000);
    const first = records.next();
    await new Promise((resolve) => setImmediate(resolve));
    expect(reader.asked).toHaveLength(64);
    await reader.answer();
    await first;
    const second = records.next();
    await second;
    expect(reader.asked.length - (size === 10 ? 1 : 0)).toBeLessThanOrEqual(askedMax);
    if (size === mebibyte) expect(reader.asked).toHaveLength(64);
    await records.return(undefined);
  });

  it("ends at a hole, with what is before it", async () => {
    const [reader, taken]: [SlowReader, number[]] = [new SlowReader(10, 5), []];
    expect(await collect(readAhead(reader, 1, 100), reader, taken)).toContain("revision 5 is not in the stream");
    expect(taken).toEqual([1, 2, 3, 4]);
  });
});
