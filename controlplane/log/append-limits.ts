import type { SealedCommit } from "../../model/commit.ts";
import { commitFault } from "./commit-chain.ts";
import type { AppendKey } from "./event-log.ts";

/** The largest body of one commit. */
export const commitBytesMax = 64 * 1024 * 1024;

/** The longest request id, in UTF-16 units. */
export const requestIdLengthMax = 256;

/** Why an append can never be taken, by whatever log, in words; undefined if it may be. */
export function malformedAppend(commit: SealedCommit, key: AppendKey): string | undefined {
  if (commit.body.length > commitBytesMax) {
    return `a commit of ${commit.body.length} bytes; at most ${commitBytesMax} (commitBytesMax)`;
  }
  if (key.requestId === "" || key.requestId.length > requestIdLengthMax) {
    return `a request id of ${key.requestId.length} characters; 1 to ${requestIdLengthMax} (requestIdLengthMax)`;
  }
  if (!Number.isSafeInteger(key.revision) || !Number.isSafeInteger(key.epoch) || key.epoch < 1) {
    return `revision ${key.revision} of epoch ${key.epoch}: not whole numbers, the epoch from 1 on`;
  }
  return commitFault(key.revision, commit);
}
