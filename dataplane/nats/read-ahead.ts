import type { PlacedRecord, RecordReader } from "./log-reader.ts";

/** Requests under way, and records that wait to be taken, together. */
const recordsAheadMax = 64;

/** Past so many bytes that wait to be taken nothing more is asked for. */
const bytesAheadMax = 16 * 1024 * 1024;

type Answer = { readonly found: PlacedRecord | undefined } | { readonly error: unknown };

/**
 * The records of a range of revisions, in order, read ahead within bounds: what is held is at most `bytesAheadMax` and
 * what was under way then. Rejects as the reader does, and where a revision is missing.
 */
export async function* readAhead(reader: RecordReader, from: number, to: number): AsyncGenerator<PlacedRecord> {
  const ahead: Promise<Answer>[] = [];
  let next = from;
  let bytes = 0;
  const ask = (revision: number): void => {
    const answer = reader.record(revision).then(
      (found) => {
        bytes += found?.size ?? 0;
        return { found };
      },
      (error: unknown) => ({ error }),
    );
    ahead.push(answer);
  };
  for (let at = from; at <= to; at += 1) {
    for (; next <= to && ahead.length < recordsAheadMax && (bytes < bytesAheadMax || ahead.length === 0); next += 1)
      ask(next);
    const answer = await (ahead.shift() as Promise<Answer>);
    if ("error" in answer) throw answer.error;
    if (answer.found === undefined) throw new Error(`revision ${at} is not in the stream, though later ones are`);
    bytes -= answer.found.size;
    yield answer.found;
  }
}
