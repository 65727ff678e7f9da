import type { LogEvent } from "./event.ts";

/** A place in the log's history. Revision 0 is the empty configuration, before any commit; its hash is empty. */
export interface Position {
  readonly epoch: number;
  readonly revision: number;
  /** SHA-256 of the commit's body at that revision: 32 bytes, or none at revision 0. */
  readonly hash: Uint8Array;
}

/** Before any commit. */
export const origin: Position = { epoch: 1, revision: 0, hash: new Uint8Array(0) };

/** The events of one admin command, atomic, at one revision. */
export interface Commit {
  readonly epoch: number;
  readonly revision: number;
  readonly parentHash: Uint8Array;
  readonly requestId: string;
  /** SHA-256 of the command, to tell a retry from another command under the same id. */
  readonly requestDigest: Uint8Array;
  readonly author: string;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly events: readonly LogEvent[];
}

/** A commit as the log stores it: the encoded commit, and the SHA-256 of exactly those bytes. */
export interface SealedCommit {
  readonly body: Uint8Array;
  readonly hash: Uint8Array;
}

export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index += 1) if (left[index] !== right[index]) return false;
  return true;
}
