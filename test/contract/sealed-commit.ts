import { createHash } from "node:crypto";
import type { AppendKey, AppendOutcome, EventLog } from "../../controlplane/log/event-log.ts";
import type { Position, SealedCommit } from "../../model/commit.ts";

export interface Append {
  readonly commit: SealedCommit;
  readonly key: AppendKey;
}

/** A commit on top of a position. An engine does not open bodies, so that any bytes will do; these differ by id. */
export function appendOn(
  head: Position,
  requestId: string,
  change: Partial<AppendKey> = {},
  body?: Uint8Array,
): Append {
  const bytes = body ?? new TextEncoder().encode(`the commit of ${requestId} on revision ${head.revision}`);
  return {
    commit: { body: bytes, hash: Uint8Array.from(createHash("sha256").update(bytes).digest()) },
    key: { revision: head.revision + 1, epoch: head.epoch, parentHash: head.hash, requestId, ...change },
  };
}

/** Where the log is after an append was taken. */
export function positionOf({ commit, key }: Append): Position {
  return { epoch: key.epoch, revision: key.revision, hash: commit.hash };
}

/** Appends `count` commits, one after the other, and throws unless each is taken. Their request ids are `r1`, `r2` ... */
export async function fill(log: EventLog, count: number): Promise<Append[]> {
  const appends: Append[] = [];
  for (let made = 0; made < count; made += 1) {
    const head = await log.head();
    const append = appendOn(head, `r${head.revision + 1}`);
    const outcome: AppendOutcome = await log.append(append.commit, append.key);
    if (outcome.outcome !== "appended") throw new Error(`the append of ${append.key.requestId}: ${outcome.outcome}`);
    appends.push(append);
  }
  return appends;
}

/** Plain values: an engine may answer with any kind of byte array, and `Buffer` is not equal to `Uint8Array`. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
  }
  return value;
}
