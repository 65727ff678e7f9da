import { origin, type Position, type SealedCommit } from "../../model/commit.ts";
import type { Configuration } from "../../model/configuration.ts";
import { openNextCommit } from "../../model/wire/commit.ts";
import type { CommitSink, FeedState } from "../../dataplane/feed/commit-feed.ts";

/** A sink that keeps the position, and remembers every call as a word: `commit 3`, `beacon 3`, `forked`, ... */
export class RecordingSink implements CommitSink {
  readonly calls: string[] = [];
  at: Position = origin;
  /** The configuration of the last snapshot. */
  snapshotted: Configuration | undefined;
  /** Called before each commit is taken; a throw refuses it. */
  onCommit: (sealed: SealedCommit) => void = () => undefined;
  /** What the feed said of each commit: whether more is known to come. */
  readonly more: boolean[] = [];
  snapshotRevisionMax: number | undefined;

  position(): Position {
    return this.at;
  }

  async commit(sealed: SealedCommit, more = false): Promise<void> {
    this.onCommit(sealed);
    const opened = openNextCommit(this.at, sealed);
    if ("fault" in opened) throw new Error(`${opened.fault}: ${opened.detail}`);
    this.at = opened.position;
    this.more.push(more);
    this.calls.push(`commit ${this.at.revision}`);
  }

  async snapshot(configuration: Configuration): Promise<void> {
    this.snapshotted = configuration;
    this.at = configuration.position;
    this.calls.push(`snapshot ${this.at.revision}`);
  }

  async beacon({ revision }: Position): Promise<void> {
    this.calls.push(`beacon ${revision}`);
  }

  state(state: FeedState): void {
    this.calls.push(state);
  }

  behind({ revision }: Position): void {
    this.calls.push(`behind ${revision}`);
  }

  forked(): void {
    this.at = origin;
    this.calls.push("forked");
  }

  count(call: string): number {
    return this.calls.filter((each) => each === call).length;
  }
}
