import type { CommitFeed, CommitSink, FeedState } from "../../dataplane/feed/commit-feed.ts";
import { origin, type Position, type SealedCommit } from "../../model/commit.ts";
import { openCommit } from "../../model/wire/commit.ts";

/**
 * One feed for many nodes of one process: it follows a real feed, and passes on all that comes to every member, in order and
 * as it came. A member that comes later is read the log from its position on first, as a feed would that catches up. Members
 * check the chain and fold for themselves.
 */
export class SharedFeed implements CommitFeed, CommitSink {
  readonly #commits: SealedCommit[] = [];
  readonly #members = new Set<Member>();
  #position: Position = origin;
  /** What was said last of the log's end, on this connection. */
  #heard: Position | undefined;
  #state: FeedState = "disconnected";

  /** As a feed: for one node, until the signal aborts. */
  async follow(sink: CommitSink, signal: AbortSignal): Promise<void> {
    const member = new Member(sink, this.#commits);
    this.#members.add(member);
    sink.state(this.#state);
    if (this.#heard !== undefined) await member.beacon(this.#heard);
    if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    this.#members.delete(member);
  }

  position(): Position {
    return this.#position;
  }

  async commit(sealed: SealedCommit, more = false): Promise<void> {
    const opened = openCommit(sealed);
    if ("fault" in opened) throw new Error(`${opened.fault}: ${opened.detail}`);
    this.#commits.push(sealed);
    this.#position = opened.position;
    await this.#each((member) => member.catchUp(more));
  }

  async beacon(head: Position): Promise<void> {
    this.#heard = head;
    await this.#each((member) => member.beacon(head));
  }

  state(state: FeedState): void {
    this.#state = state;
    if (state === "disconnected") this.#heard = undefined;
    for (const { sink } of this.#members) sink.state(state);
  }

  /** The log is shorter than a snapshot is made for. */
  snapshot(): Promise<void> {
    return Promise.reject(new Error("a snapshot, of a log of a few commits"));
  }

  behind(head: Position): void {
    throw new Error(`the log has lost its tail: it ends at ${head.revision}`);
  }

  forked(detail: string): void {
    throw new Error(detail);
  }

  async #each(tell: (member: Member) => Promise<void>): Promise<void> {
    await Promise.all(Array.from(this.#members, tell));
  }
}

/** One node, and how far it was told; one thing after another. */
class Member {
  readonly sink: CommitSink;
  readonly #commits: readonly SealedCommit[];
  #telling: Promise<void> = Promise.resolve();

  constructor(sink: CommitSink, commits: readonly SealedCommit[]) {
    this.sink = sink;
    this.#commits = commits;
  }

  /** `more` says of the last one what the feed said of it. */
  catchUp(more: boolean): Promise<void> {
    return this.#next(() => this.#catchUp(more));
  }

  beacon(head: Position): Promise<void> {
    return this.#next(async () => {
      await this.#catchUp(true);
      await this.sink.beacon(head);
    });
  }

  async #catchUp(more: boolean): Promise<void> {
    for (;;) {
      const { revision } = this.sink.position();
      const sealed = this.#commits[revision];
      if (sealed === undefined) return;
      await this.sink.commit(sealed, more || revision + 1 < this.#commits.length);
    }
  }

  #next(tell: () => Promise<void>): Promise<void> {
    this.#telling = this.#telling.then(tell);
    return this.#telling;
  }
}
