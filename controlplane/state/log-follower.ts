import { setImmediate } from "node:timers/promises";
import { type Position, sameBytes, type SealedCommit } from "../../model/commit.ts";
import { type Change, Configuration } from "../../model/configuration.ts";
import { openNextCommit } from "../../model/wire/commit.ts";
import { decodeSnapshot, SnapshotInvalid } from "../../model/wire/snapshot.ts";
import { type EventLog, LogCorrupt } from "../log/event-log.ts";

/** How many commits are read from the log at once. */
const readBatch = 256;

/** Other work runs after this many changes, however few commits they came in. */
const changesPerTurn = 20_000;

/**
 * The configuration at a revision: the newest usable snapshot at or before it, then the commits up to it.
 *
 * @throws LogCorrupt where the chain of commits does not hold
 */
export async function configurationAt(log: EventLog, revision: number): Promise<Configuration> {
  const configuration = await restoredAtOrBefore(log, revision);
  await foldUpTo(log, configuration, revision, () => undefined);
  return configuration;
}

/**
 * Folds the commits after the configuration's position, up to `revision`. `folded` hears of each in the same turn, so
 * that nobody sees the configuration without what is kept in step with it. Between commits other work may run.
 *
 * @throws LogCorrupt where the chain of commits does not hold
 */
export async function foldUpTo(
  log: EventLog,
  configuration: Configuration,
  revision: number,
  folded: (changes: readonly Change[]) => void,
): Promise<void> {
  let changesInTurn = 0;
  while (configuration.position.revision < revision) {
    const from = configuration.position;
    const batch = await log.read(from.revision, Math.min(readBatch, revision - from.revision));
    if (batch.length === 0) return;
    for (const sealed of batch) {
      const changes = foldNext(configuration, sealed);
      folded(changes);
      changesInTurn += changes.length;
      if (changesInTurn < changesPerTurn) continue;
      changesInTurn = 0;
      await setImmediate();
    }
    if (batch.length === readBatch) await setImmediate();
  }
}

function foldNext(configuration: Configuration, sealed: SealedCommit): readonly Change[] {
  const opened = openNextCommit(configuration.position, sealed);
  if ("fault" in opened)
    throw new LogCorrupt(`after revision ${configuration.position.revision}: ${opened.fault}: ${opened.detail}`);
  return configuration.apply(opened.commit, opened.position);
}

/** The configuration of the newest usable snapshot at or before a revision; the empty one where there is none. */
export async function restoredAtOrBefore(log: EventLog, revision: number): Promise<Configuration> {
  let wanted = revision;
  while (wanted > 0) {
    const stored = await log.snapshotAtOrBefore(wanted);
    if (stored === undefined) break;
    try {
      const configuration = decodeSnapshot(stored.body);
      if (isAt(configuration.position, stored.position)) return configuration;
    } catch (error) {
      // A snapshot is only a shortcut: an older one, or the log from its start, gives the same configuration.
      if (!(error instanceof SnapshotInvalid)) throw error;
    }
    wanted = stored.position.revision - 1;
  }
  return new Configuration();
}

function isAt(one: Position, other: Position): boolean {
  return one.epoch === other.epoch && one.revision === other.revision && sameBytes(one.hash, other.hash);
}

/** Whether a follower that stands at `position` has the log's own history. */
export async function sharesHistory(log: EventLog, position: Position): Promise<boolean> {
  if (position.revision === 0) return true;
  const head = await log.head();
  if (position.revision > head.revision) return false;
  const [sealed] = await log.read(position.revision - 1, 1);
  return sealed !== undefined && sameBytes(sealed.hash, position.hash);
}
