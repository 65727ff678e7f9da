import { describe, expect, it } from "vitest";
import { encodeExported, type ExportedRecord, ExportInvalid, ExportReader } from "./log-export.ts";

const commit = (size: number): ExportedRecord => ({
  record: "commit",
  commit: { body: new Uint8Array(size).fill(7), hash: new Uint8Array(32).fill(1) },
});
const header: ExportedRecord = { record: "header", softwareVersion: "1" };
const end: ExportedRecord = { record: "end", head: { epoch: 1, revision: 2, hash: new Uint8Array(32).fill(1) } };
const whole = [header, commit(3), commit(20_000), end];

function fileOf(records: readonly ExportedRecord[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(records.map(encodeExported)));
}

function read(file: Uint8Array, cut: number): ExportedRecord[] {
  const reader = new ExportReader();
  const records: ExportedRecord[] = [];
  for (let at = 0; at < file.length; at += cut) records.push(...reader.push(file.subarray(at, at + cut)));
  reader.finish();
  return records;
}

describe("an exported log", () => {
  it.each([1, 7, 65_536, 1_000_000])("comes back from pieces of %i bytes", (cut) => {
    expect(read(fileOf(whole), cut)).toEqual(whole);
  });

  it("is cut off at every prefix but the whole", () => {
    const file = fileOf([header, commit(3), end]);
    for (let length = 0; length < file.length; length += 1)
      expect(() => read(file.subarray(0, length), 16), `${length} bytes`).toThrow(ExportInvalid);
  });

  it.each([
    ["text", Buffer.from("resources:\n- farm: {}\n")],
    ["zeros", new Uint8Array(100)],
    ["a commit first", fileOf([commit(3), end])],
    ["two headers", fileOf([header, header, end])],
    ["something behind its end", fileOf([header, end, commit(3)])],
    ["a record larger than any", Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x7f)],
    ["a length without end", new Uint8Array(20).fill(0x80)],
  ])("is none, or damaged: %s", (_, file) => {
    expect(() => read(file, 8)).toThrow(ExportInvalid);
  });
});
