import { origin, type Position, sameBytes, type SealedCommit } from "../../model/commit.ts";
import { type Change, Configuration } from "../../model/configuration.ts";
import { difference } from "../../model/difference.ts";
import { openingNext } from "../../model/wire/commit.ts";
import type { CommitSink, FeedState } from "./commit-feed.ts";
import { inSlices } from "./in-slices.ts";
import { netChanges } from "./net-changes.ts";
import type { ServedJournal } from "./served-journal.ts";

/** Where the follower stands with the log; for readiness, reports and alarms. */
export interface FollowerState {
  /** What the table is built from. */
  readonly position: Position;
  readonly digest: Uint8Array;
  /** Whether the configuration was ever known: a node without one is not ready. */
  readonly loaded: boolean;
  readonly feed: FeedState;
  /** Why the node serves an older revision than the log has; undefined while all is well. */
  readonly stalled:
    | { readonly reason: "future_schema" | "forked" | "broken" | "log_behind"; readonly detail: string }
    | undefined;
}

/** Carries out changes, each resource once: the tables first, all of them together; then what takes time, as binding does. */
export type Apply = (changes: readonly Change[], position: Position) => Promise<void>;

/**
 * Follows the log and folds it into the configuration that the node serves.
 *
 * While all is well each commit goes straight into it. When the log turns out to have another history (it was rebuilt,
 * or tampered with), the node keeps serving what it has, folds the log anew beside it, and changes over once that has
 * reached the head: live traffic sees only the difference. A node that starts does the same, with nothing to serve: no
 * client is routed by what the configuration was long ago. Only a node that has kept what it served last (`resume`) starts
 * with that, as the log may be gone for longer than its clients can wait.
 */
export class Follower implements CommitSink {
  #serving = new Configuration();
  #rebuilding: Configuration | undefined = new Configuration();
  /** Of what is carried out: while a commit is being folded in, `#serving` itself is between two states. */
  #served: Pick<FollowerState, "position" | "digest"> = { position: origin, digest: this.#serving.digest };
  #loaded = false;
  #feed: FollowerState["feed"] = "disconnected";
  #stalled: FollowerState["stalled"];
  readonly #apply: Apply;
  readonly #onState: () => void;
  readonly #journal: ServedJournal | undefined;

  /** `onState` is called after anything in `status` changed; `journal` keeps what is served. */
  constructor(apply: Apply, onState: () => void, journal?: ServedJournal) {
    this.#apply = apply;
    this.#onState = onState;
    this.#journal = journal;
  }

  get status(): FollowerState {
    return { ...this.#served, loaded: this.#loaded, feed: this.#feed, stalled: this.#stalled };
  }

  /** Of what is served, by name. To be looked at within one turn: between two, it may be half changed. */
  get serving(): Configuration {
    return this.#serving;
  }

  /** Serves what the node kept from its last life, before anything is heard of the log. */
  async resume(kept: Configuration): Promise<void> {
    await this.#serve(kept);
  }

  /** Folds the log anew beside what is served; the feed must then ask for the position again. */
  resync(): void {
    this.#rebuilding = new Configuration();
  }

  position(): Position {
    return (this.#rebuilding ?? this.#serving).position;
  }

  async commit(sealed: SealedCommit): Promise<void> {
    const configuration = this.#rebuilding ?? this.#serving;
    const opened = await inSlices(openingNext(configuration.position, sealed));
    if ("fault" in opened) {
      const reason = opened.fault === "future_schema" ? "future_schema" : "broken";
      this.#stall({ reason, detail: `${opened.fault}: ${opened.detail}` });
      if (reason === "broken") this.#rebuilding = new Configuration();
      throw new Error(`${opened.fault}: ${opened.detail}`);
    }
    const served = configuration === this.#serving;
    if (served) this.#journal?.changing();
    const changes = await inSlices(configuration.applying(opened.commit, opened.position));
    if (!served) return;
    await this.#apply(await inSlices(netChanges(changes)), opened.position);
    this.#noteServed();
    this.#journal?.committed(sealed, configuration);
    // It continues what the node has, so the log is beyond it again.
    if (this.#stalled?.reason === "log_behind") this.#stalled = undefined;
    this.#onState();
  }

  async snapshot(configuration: Configuration): Promise<void> {
    await this.#changeOver(configuration);
  }

  async beacon(head: Position): Promise<void> {
    const rebuilt = this.#rebuilding;
    // A log that has become empty is a log that was lost. It takes a commit to have a node let go of what it serves.
    const lost = head.revision === 0 && this.#loaded;
    if (rebuilt !== undefined && isAt(rebuilt, head) && !lost) await this.#changeOver(rebuilt);
    if (this.#rebuilding === undefined && isAt(this.#serving, head)) {
      const news = !this.#loaded || this.#stalled !== undefined;
      this.#loaded = true;
      this.#stalled = undefined;
      if (news) this.#onState();
    }
  }

  state(state: FeedState): void {
    if (state === this.#feed) return;
    this.#feed = state;
    this.#onState();
  }

  behind({ epoch, revision }: Position): void {
    const at = this.position();
    const detail = `the log ends at ${epoch}/${revision}; the node is at ${at.epoch}/${at.revision}`;
    this.#stall({ reason: "log_behind", detail });
  }

  forked(detail: string): void {
    this.#rebuilding = new Configuration();
    this.#stall({ reason: "forked", detail });
  }

  /** A feed may say the same each second; it is news once. */
  #stall(stalled: NonNullable<FollowerState["stalled"]>): void {
    const before = this.#stalled;
    if (before?.reason === stalled.reason && before.detail === stalled.detail) return;
    this.#stalled = stalled;
    this.#onState();
  }

  #noteServed(): void {
    const { position, digest } = this.#serving;
    this.#served = { position, digest };
  }

  async #changeOver(next: Configuration): Promise<void> {
    await this.#serve(next);
    this.#journal?.replaced(next);
  }

  async #serve(next: Configuration): Promise<void> {
    const changes = difference(this.#serving, next);
    this.#journal?.changing();
    this.#serving = next;
    this.#rebuilding = undefined;
    await this.#apply(changes, next.position);
    this.#noteServed();
    this.#loaded = true;
    this.#stalled = undefined;
    this.#onState();
  }
}

function isAt(configuration: Configuration, head: Position): boolean {
  const { revision, hash } = configuration.position;
  return revision === head.revision && sameBytes(hash, head.hash);
}
