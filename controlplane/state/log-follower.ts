import { type Commit, type Position, type SealedCommit } from "../../model/commit.ts";
import { type Change, Configuration } from "../../model/configuration.ts";
import { openNextCommit } from "../../model/wire/commit.ts";
import { decodeSnapshot, SnapshotInvalid } from "../../model/wire/snapshot.ts";
import { type EventLog, LogCorrupt } from "../log/event-log.ts";

/** How many commits are read from the log at once. */
const readBatch = 256;

/** A commit that has been opened and folded in. */
export interface Folded {
  readonly commit: Commit;
  readonly position: Position;
  readonly changes: readonly Change[];
}

/**
 * The configuration at a revision: the newest usable snapshot at or before it, then the commits up to it.
 *
 * @throws LogCorrupt where the chain of commits does not hold
 */
export async function configurationAt(log: EventLog, revision: number): Promise<Configuration> {
  const configuration = (await restoredAtOrBefore(log, revision)) ?? new Configuration();
  for await (const folded of foldUpTo(log, configuration, revision)) void folded;
  return configuration;
}

/** Folds the commits after the configuration's position, up to `revision`, and tells of each. */
export async function* foldUpTo(log: EventLog, configuration: Configuration, revision: number): AsyncGenerator<Folded> {
  while (configuration.position.revision < revision) {
    const from = configuration.position;
    const batch = await log.read(from.revision, Math.min(readBatch, revision - from.revision));
    if (batch.length === 0) return;
    for (const sealed of batch) yield foldNext(configuration, sealed);
  }
}

function foldNext(configuration: Configuration, sealed: SealedCommit): Folded {
  const opened = openNextCommit(configuration.position, sealed);
  if ("fault" in opened)
    throw new LogCorrupt(`after revision ${configuration.position.revision}: ${opened.fault}: ${opened.detail}`);
  return { ...opened, changes: configuration.apply(opened.commit, opened.position) };
}

async function restoredAtOrBefore(log: EventLog, revision: number): Promise<Configuration | undefined> {
  let wanted = revision;
  while (wanted > 0) {
    const stored = await log.snapshotAtOrBefore(wanted);
    if (stored === undefined) return undefined;
    try {
      return decodeSnapshot(stored.body);
    } catch (error) {
      // A snapshot is only a shortcut: an older one, or the log from its start, gives the same configuration.
      if (!(error instanceof SnapshotInvalid)) throw error;
      wanted = stored.position.revision - 1;
    }
  }
  return undefined;
}

/** Whether a follower that stands at `position` has the log's own history. */
export async function sharesHistory(log: EventLog, position: Position): Promise<boolean> {
  if (position.revision === 0) return true;
  const head = await log.head();
  if (position.revision > head.revision) return false;
  const [sealed] = await log.read(position.revision - 1, 1);
  return sealed !== undefined && Buffer.compare(sealed.hash, position.hash) === 0;
}
