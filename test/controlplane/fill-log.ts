import type { EventLog } from "../../controlplane/log/event-log.ts";
import { type Commit, type Position, type SealedCommit } from "../../model/commit.ts";
import type { Resource } from "../../model/resource.ts";
import { sealCommit } from "../../model/wire/commit.ts";
import { timeMs } from "./running-control-plane.ts";

/** Appends a commit for each resource, as its creation, and answers with them. All at once: the log syncs them in batches. */
export async function fillLog(log: EventLog, resources: readonly Resource[]): Promise<readonly SealedCommit[]> {
  let head: Position = await log.head();
  const made: SealedCommit[] = [];
  const appends = resources.map((resource) => {
    const { epoch, hash: parentHash } = head;
    const revision = head.revision + 1;
    const requestId = `fill-${revision}`;
    const events = [{ type: "created" as const, resource }];
    const commit: Commit = {
      epoch,
      revision,
      parentHash,
      requestId,
      requestDigest: new Uint8Array(32),
      author: "test",
      reason: "",
      timeMs,
      events,
    };
    const sealed = sealCommit(commit);
    made.push(sealed);
    head = { epoch, revision, hash: sealed.hash };
    return log.append(sealed, { revision, epoch, parentHash, requestId });
  });
  for (const { outcome } of await Promise.all(appends)) if (outcome !== "appended") throw new Error(outcome);
  return made;
}
