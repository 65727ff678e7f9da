import { type Commit, origin, type Position, type SealedCommit } from "../../model/commit.ts";
import { openNextCommit, sealEpochMarker } from "../../model/wire/commit.ts";
import type { AppendKey, EventLog } from "./event-log.ts";

/** Commits appended at once: they share round trips, and syncs of the disk. */
const appendsAtOnce = 128;

/** Where commits come from: from revision 1 on, in order. */
export type CommitSource = AsyncIterable<SealedCommit>;

/** A source that is no sound chain. Names the first bad commit. */
export class ChainBroken extends Error {
  override readonly name = "ChainBroken";
  /** The last sound one. */
  readonly after: Position;

  constructor(after: Position, detail: string) {
    super(`after revision ${after.revision}: ${detail}`);
    this.after = after;
  }
}

/** The log to be filled is not empty, nor the beginning of what is copied. */
export class OtherHistory extends Error {
  override readonly name = "OtherHistory";
}

/** A commit that continues the chain, opened. */
export interface SoundCommit {
  readonly sealed: SealedCommit;
  readonly commit: Commit;
  readonly position: Position;
}

/**
 * Every commit of the source, each checked: hash, body, and that it continues the one before.
 *
 * @throws ChainBroken at the first that is not sound
 */
export async function* soundChain(source: CommitSource): AsyncGenerator<SoundCommit, void> {
  let at = origin;
  for await (const sealed of source) {
    const opened = openNextCommit(at, sealed);
    if ("fault" in opened) throw new ChainBroken(at, `${opened.fault}: ${opened.detail}`);
    at = opened.position;
    yield { sealed, commit: opened.commit, position: at };
  }
}

/**
 * Appends every commit of a sound chain to an empty log, byte for byte, and then the mark of a new epoch: whoever
 * followed the log that the chain was taken from can tell the two apart from there on.
 *
 * A copy that was broken off goes on where it stopped, if the log has a beginning of the same chain.
 *
 * @throws ChainBroken, OtherHistory, LogUnavailable, LogCorrupt
 */
export async function copyLog(
  source: CommitSource,
  target: EventLog,
  mark: { readonly reason: string; readonly timeMs: number },
  progress: (revision: number) => void,
): Promise<Position> {
  const start = await target.head();
  let last = origin;
  let batch: SoundCommit[] = [];
  for await (const sound of soundChain(source)) {
    last = sound.position;
    if (last.revision <= start.revision) continue;
    batch.push(sound);
    if (batch.length < appendsAtOnce) continue;
    await appendAll(target, batch);
    progress(last.revision);
    batch = [];
  }
  await appendAll(target, batch);
  const head = await target.head();
  if (head.revision !== last.revision || !Buffer.from(head.hash).equals(last.hash))
    throw new OtherHistory(
      `the log has another history: it is at revision ${head.revision}, the copy at ${last.revision}`,
    );
  const epoch = last.epoch + 1;
  const marker = sealEpochMarker(last, epoch, mark.reason, mark.timeMs);
  const opened = openNextCommit(last, marker);
  if ("fault" in opened) throw new ChainBroken(last, `${opened.fault}: ${opened.detail}`);
  await appendOne(target, { sealed: marker, ...opened });
  progress(opened.position.revision);
  return opened.position;
}

/** In order; where some of them were not taken, as another came between, the rest go one by one, and say why. */
async function appendAll(target: EventLog, batch: readonly SoundCommit[]): Promise<void> {
  const outcomes = await Promise.all(batch.map((sound) => target.append(sound.sealed, keyOf(sound.commit))));
  const taken = outcomes.findIndex(({ outcome }) => outcome !== "appended");
  if (taken < 0) return;
  for (const sound of batch.slice(taken)) await appendOne(target, sound);
}

async function appendOne(target: EventLog, sound: SoundCommit): Promise<void> {
  const { outcome } = await target.append(sound.sealed, keyOf(sound.commit));
  const { revision } = sound.commit;
  if (outcome !== "appended") throw new OtherHistory(`revision ${revision} is not taken: the log has another history`);
}

function keyOf({ revision, epoch, parentHash, requestId }: Commit): AppendKey {
  return { revision, epoch, parentHash, requestId };
}
