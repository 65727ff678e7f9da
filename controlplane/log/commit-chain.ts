import { hash as digest } from "node:crypto";
import { type Position, sameBytes } from "../../model/commit.ts";

/** A commit as it is stored, with what binds it to the one before. */
export interface ChainLink {
  readonly revision: number;
  readonly epoch: number;
  readonly parentHash: Uint8Array;
  readonly hash: Uint8Array;
  readonly body: Uint8Array;
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return digest("sha256", bytes, "buffer");
}

/** Why `link` can't be what followed `previous`, in words that name the first bad revision; undefined if it can. */
export function linkFault(previous: Position, link: ChainLink): string | undefined {
  const expected = previous.revision + 1;
  if (link.revision !== expected) return `revision ${expected} is missing (${link.revision} is there)`;
  const bodyFault = commitFault(link.revision, link);
  if (bodyFault !== undefined) return bodyFault;
  if (!sameBytes(link.parentHash, previous.hash)) {
    return `revision ${link.revision}: its parent hash is not the hash of revision ${previous.revision}`;
  }
  if (link.epoch < previous.epoch) {
    return `revision ${link.revision}: its epoch is ${link.epoch}, after epoch ${previous.epoch}`;
  }
  return undefined;
}

/** Why a commit can't be what was sealed, taken by itself. */
export function commitFault(
  revision: number,
  commit: { readonly body: Uint8Array; readonly hash: Uint8Array },
): string | undefined {
  return sameBytes(sha256(commit.body), commit.hash)
    ? undefined
    : `revision ${revision}: the SHA-256 of its body is not its hash`;
}
