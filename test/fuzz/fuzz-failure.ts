/** The mutant that broke a law: enough to have it again. */
export interface FuzzFailure {
  /** Which mutant, from 0. */
  readonly index: number;
  readonly message: string;
  readonly bytesHex: string;
  readonly chunkLengths: readonly number[];
}

export function fuzzFailure(
  index: number,
  error: unknown,
  bytes: Uint8Array,
  chunks: readonly Uint8Array[],
): FuzzFailure {
  return {
    index,
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    bytesHex: Buffer.from(bytes).toString("hex"),
    chunkLengths: chunks.map(({ length }) => length),
  };
}
