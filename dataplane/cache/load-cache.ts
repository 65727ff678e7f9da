import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Configuration } from "../../model/configuration.ts";
import { openNextCommit } from "../../model/wire/commit.ts";
import { openStoredSnapshot } from "../../model/wire/stored-snapshot.ts";
import { readTail, tailStart } from "./commit-tail.ts";
import { readSnapshotFile } from "./snapshot-file.ts";

/** What a state directory had. */
export interface LoadedCache {
  /** Undefined where there was nothing, or nothing sound. */
  readonly configuration: Configuration | undefined;
  /** Commits that came after the snapshot. */
  readonly tailCommits: number;
  /** What is damaged, a sentence each; for the log. */
  readonly problems: readonly string[];
}

/**
 * Loads what is sound: the snapshot, or the empty configuration where no snapshot was written yet, and the commits that
 * continue it. A damaged snapshot leaves nothing that the commits could continue. Never throws.
 */
export function loadCache(directory: string): LoadedCache {
  const problems: string[] = [];
  try {
    const configuration = openSnapshot(directory);
    const before = configuration.position.revision;
    for (const start of tailStarts(directory)) continueBy(directory, start, configuration, problems);
    const tailCommits = configuration.position.revision - before;
    if (configuration.position.revision > 0) return { configuration, tailCommits, problems };
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
  return { configuration: undefined, tailCommits: 0, problems };
}

function openSnapshot(directory: string): Configuration {
  const body = readSnapshotFile(directory);
  return body === undefined ? new Configuration() : openStoredSnapshot(body);
}

function tailStarts(directory: string): readonly number[] {
  const starts = readdirSync(directory).map(tailStart);
  return starts.filter((start) => start !== undefined).sort((left, right) => left - right);
}

/** Folds the commits of one file in, as far as they continue the configuration. */
function continueBy(directory: string, start: number, configuration: Configuration, problems: string[]): void {
  const file = `commits-${start}`;
  const { revision } = configuration.position;
  if (start > revision) {
    problems.push(`${file} does not continue revision ${revision}`);
    return;
  }
  const commits = readTail(readFileSync(join(directory, file)));
  // What the snapshot has already is left out by counting: the file's first commit is the one after its start.
  for (let skipped = start; ; skipped += 1) {
    const next = commits.next();
    if (next.done === true) {
      if (!next.value) problems.push(`${file} is cut off behind revision ${Math.max(skipped, start)}`);
      return;
    }
    if (skipped < revision) continue;
    const opened = openNextCommit(configuration.position, next.value);
    if ("fault" in opened) {
      problems.push(`${file} is not sound behind revision ${configuration.position.revision}: ${opened.detail}`);
      return;
    }
    configuration.apply(opened.commit, opened.position);
  }
}
