/** The mutant that broke a law: enough to have it again. */
export interface FuzzFailure {
  /** Which mutant, from 0. */
  readonly index: number;
  readonly message: string;
  readonly bytesHex: string;
  readonly chunkLengths: readonly number[];
}
