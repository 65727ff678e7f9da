import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { ExportRecord } from "../../proto/gen/switchyard/log/v1/log.ts";
import type { Position, SealedCommit } from "../commit.ts";
import { joinedBytes } from "../joined-bytes.ts";

const format = "switchyard-log";
const formatVersion = 1;

/** The largest record: a commit of the largest size with its wrapping. */
const recordBytesMax = 65 * 1024 * 1024;

/** What stands in an exported log, in this order: a header, commits, an end. */
export type ExportedRecord =
  | { readonly record: "header"; readonly softwareVersion: string }
  | { readonly record: "commit"; readonly commit: SealedCommit }
  | { readonly record: "end"; readonly head: Position };

export function encodeExported(exported: ExportedRecord): Uint8Array {
  const message = ExportRecord.encode({ record: recordToWire(exported) }).finish();
  return new BinaryWriter().bytes(message).finish();
}

function recordToWire(exported: ExportedRecord): ExportRecord["record"] {
  switch (exported.record) {
    case "header":
      return { $case: "header", value: { format, version: formatVersion, softwareVersion: exported.softwareVersion } };
    case "commit":
      return { $case: "commit", value: exported.commit };
    case "end": {
      const { epoch, revision, hash } = exported.head;
      return { $case: "end", value: { epoch: BigInt(epoch), revision: BigInt(revision), hash } };
    }
  }
}

/** The file is no exported log, or damaged. */
export class ExportInvalid extends Error {
  override readonly name = "ExportInvalid";
}

/**
 * Takes an exported log apart, however its bytes are cut. Memory is taken for one record at a time. Whether the commits
 * are a chain is for the caller to check.
 */
export class ExportReader {
  #chunks: Uint8Array[] = [];
  #held = 0;
  /** So many bytes must be there before it is worth looking: nothing is joined again for each chunk of a large record. */
  #needed = 1;
  #state: "empty" | "open" | "ended" = "empty";

  /** @throws ExportInvalid */
  push(chunk: Uint8Array): readonly ExportedRecord[] {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    if (this.#held < this.#needed) return [];
    let rest = this.#chunks.length === 1 ? chunk : joinedBytes(this.#chunks);
    const records: ExportedRecord[] = [];
    for (;;) {
      const { start, end } = frameOf(rest);
      if (end > rest.length) {
        this.#chunks = [rest];
        this.#held = rest.length;
        this.#needed = end;
        return records;
      }
      records.push(this.#read(rest.subarray(start, end)));
      rest = rest.subarray(end);
    }
  }

  /** To be called after the last chunk. @throws ExportInvalid where the file was cut off */
  finish(): void {
    if (this.#state === "empty") throw new ExportInvalid("it is no exported log");
    if (this.#state !== "ended" || this.#held > 0) throw new ExportInvalid("it was cut off before its end");
  }

  #read(bytes: Uint8Array): ExportedRecord {
    if (this.#state === "ended") throw new ExportInvalid("something stands behind its end");
    let message: ExportRecord;
    try {
      message = ExportRecord.decode(bytes);
    } catch {
      throw new ExportInvalid(this.#state === "empty" ? "it is no exported log" : "a record can't be read");
    }
    const { record } = message;
    if (this.#state === "empty" && (record?.$case !== "header" || record.value.format !== format))
      throw new ExportInvalid("it is no exported log");
    switch (record?.$case) {
      case "header":
        if (this.#state !== "empty") throw new ExportInvalid("it has a second header");
        if (record.value.version !== formatVersion)
          throw new ExportInvalid(`its format is version ${record.value.version}; known is ${formatVersion}`);
        this.#state = "open";
        return { record: "header", softwareVersion: record.value.softwareVersion };
      case "commit":
        return { record: "commit", commit: record.value };
      case "end": {
        this.#state = "ended";
        const { epoch, revision, hash } = record.value;
        return { record: "end", head: { epoch: Number(epoch), revision: Number(revision), hash } };
      }
      case undefined:
        throw new ExportInvalid("a record of an unknown kind");
    }
  }
}

/** Where the first record starts and ends; while its length is not there yet, an end of one byte more than there is. */
function frameOf(bytes: Uint8Array): { readonly start: number; readonly end: number } {
  let length = 0;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index] as number;
    length += (byte & 0x7f) * 2 ** (7 * index);
    if (length > recordBytesMax || index > 4) throw new ExportInvalid("it is no exported log, or a record is damaged");
    if ((byte & 0x80) === 0) return { start: index + 1, end: index + 1 + length };
  }
  return { start: bytes.length, end: bytes.length + 1 };
}
