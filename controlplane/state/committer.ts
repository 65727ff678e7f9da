import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { type Commit, sameBytes, type SealedCommit } from "../../model/commit.ts";
import type { Configuration } from "../../model/configuration.ts";
import { isConfigEvent, type LogEvent } from "../../model/event.ts";
import type { ReleaseEvent } from "../../model/release-event.ts";
import { openCommit, sealCommit } from "../../model/wire/commit.ts";
import type { Command, Refusal } from "../decide/command.ts";
import { decide, eventsOf } from "../decide/decide.ts";
import { type EventLog, LogCorrupt, LogUnavailable } from "../log/event-log.ts";
import type { LiveConfiguration } from "./live-configuration.ts";
import { lineOfChange, lineOfEvent, type PlanLine } from "./plan-line.ts";
import { SerialQueue } from "./serial-queue.ts";

/** How often a command is decided again because another writer was faster. */
const decisionsMax = 32;

/** Commands that wait for their turn; above it, new ones are turned away. */
const commandsWaitingMax = 1000;

/** Other work comes in between the steps of a command with more changes than this; each step takes one turn. */
const changesPerTurn = 10_000;

/**
 * The largest encoded commit: less than what the log takes, so that a commit with its wrapping still fits into one of
 * the 64 MiB messages that followers are sent.
 */
export const commitBytesMax = 63 * 1024 * 1024;

/**
 * What a client asks for, which may depend on what there is: an update by mask is merged with the stored resource.
 * Called anew for each decision, so that it never holds on to a configuration that another writer has changed.
 */
export type CommandAt = (configuration: Configuration) => Command | Refusal;

/** Who asks, and how the request is told from others. */
export interface CommandOrigin {
  /** Unique in the whole log; a retry carries the same. */
  readonly requestId: string;
  /** The request, apart from `validate_only`, to tell a retry from another command under the same id. */
  readonly requestBytes: Uint8Array;
  readonly author: string;
  readonly reason: string;
  readonly validateOnly: boolean;
}

export interface Committed {
  /** Of the commit; the present one where nothing was to be changed, or only validated. */
  readonly revision: number;
  readonly lines: readonly PlanLine[];
  /** What was done to rollouts. */
  readonly releases: readonly ReleaseEvent[];
}

/** The request id was used for another command. */
export interface RequestIdReused {
  readonly refused: "REQUEST_ID_REUSED";
  readonly revision: number;
}

/** The commit would be larger than it may be. */
export interface CommitTooLarge {
  readonly refused: "COMMIT_TOO_LARGE";
  readonly bytes: number;
  readonly bytesMax: number;
}

export type CommitAnswer = Committed | Refusal | RequestIdReused | CommitTooLarge;

type Decided =
  | {
      readonly next: "append";
      readonly lines: readonly PlanLine[];
      readonly releases: readonly ReleaseEvent[];
      readonly commit: Commit;
      readonly sealed: SealedCommit;
    }
  | { readonly next: "answer"; readonly answer: CommitAnswer };

/** Turns commands into commits: decide, append at the revision that was seen, and again where another was faster. */
export class Committer {
  readonly #log: EventLog;
  readonly #live: LiveConfiguration;
  readonly #now: () => number;
  readonly #bytesMax: number;
  readonly #queue = new SerialQueue(commandsWaitingMax);

  /** `now` gives milliseconds since 1970; `bytesMax` is the largest encoded commit. */
  constructor(log: EventLog, live: LiveConfiguration, now: () => number, bytesMax = commitBytesMax) {
    this.#log = log;
    this.#live = live;
    this.#now = now;
    this.#bytesMax = bytesMax;
  }

  /**
   * Carries out one command. Resolves once its commit is durable and folded in. A command that changes nothing makes
   * no commit, and leaves its request id free.
   *
   * @throws QueueFull, LogUnavailable, LogCorrupt
   */
  commit(commandAt: CommandAt, by: CommandOrigin): Promise<CommitAnswer> {
    return this.#queue.run(() => this.#commit(commandAt, by));
  }

  /**
   * The first decision is made on what is known here: where it comes to a commit, the append finds out whether that was the
   * log's end. Any other answer is given only on the log's end, which is asked for.
   */
  async #commit(commandAt: CommandAt, by: CommandOrigin): Promise<CommitAnswer> {
    const requestDigest = createHash("sha256").update(by.requestBytes).digest();
    await this.#live.catchUp("known");
    let onHead = false;
    for (let attempt = 0; attempt < decisionsMax; attempt += 1) {
      const earlier = await this.#log.findRequest(by.requestId);
      if (earlier !== undefined) return this.#answerAgain(earlier, requestDigest);
      const decided = await this.#decided(commandAt(this.#live.configuration), requestDigest, by);
      if (decided.next === "append") {
        const { lines, releases, commit, sealed } = decided;
        const { revision, epoch, parentHash, requestId } = commit;
        const appended = await this.#log.append(sealed, { revision, epoch, parentHash, requestId });
        if (appended.outcome === "appended") {
          if (lines.length > changesPerTurn) await setImmediate();
          await this.#live.catchUp("known");
          return { lines, releases, revision };
        }
        // A conflict, or a duplicate that another replica wrote: catch up and look again.
        await this.#live.catchUp("known");
        onHead = false;
        continue;
      }
      if (onHead) return decided.answer;
      const { revision } = this.#live.position;
      await this.#live.catchUp();
      if (this.#live.position.revision === revision) return decided.answer;
      onHead = true;
    }
    throw new LogUnavailable(`other writers were faster ${decisionsMax} times in a row`);
  }

  /** What the command comes to now: a commit to be appended, or an answer. */
  async #decided(command: Command | Refusal, requestDigest: Uint8Array, by: CommandOrigin): Promise<Decided> {
    const decision = "refused" in command ? command : decide(this.#live, command);
    if ("refused" in decision) return { next: "answer", answer: decision };
    const at = this.#live.position;
    const lines = decision.changes.map(lineOfChange);
    const { releases } = decision;
    const asItIs: Decided = { next: "answer", answer: { lines, releases, revision: at.revision } };
    if (lines.length === 0 && releases.length === 0) return asItIs;
    if (lines.length > changesPerTurn) await setImmediate();
    const { requestId, author, reason } = by;
    const { epoch, hash: parentHash } = at;
    const revision = at.revision + 1;
    const events = [...eventsOf(decision.changes), ...releases];
    const timeMs = this.#now();
    const commit: Commit = { epoch, revision, parentHash, requestId, requestDigest, author, reason, timeMs, events };
    const sealed = sealCommit(commit);
    const bytes = sealed.body.length;
    const bytesMax = this.#bytesMax;
    if (bytes > bytesMax) return { next: "answer", answer: { refused: "COMMIT_TOO_LARGE", bytes, bytesMax } };
    if (by.validateOnly) return asItIs;
    if (lines.length > changesPerTurn) await setImmediate();
    return { next: "append", lines, releases, commit, sealed };
  }

  /** The first answer of a request that comes again (AIP-155). */
  async #answerAgain(revision: number, requestDigest: Uint8Array): Promise<Committed | RequestIdReused> {
    const [sealed] = await this.#log.read(revision - 1, 1);
    const opened = sealed && openCommit(sealed);
    if (opened === undefined || "fault" in opened) throw new LogCorrupt(`commit ${revision} can't be read`);
    const { commit } = opened;
    if (!sameBytes(commit.requestDigest, requestDigest)) return { refused: "REQUEST_ID_REUSED", revision };
    const lines = commit.events.filter(isConfigEvent).map(lineOfEvent);
    return { revision, lines, releases: commit.events.filter(isReleaseEvent) };
  }
}

function isReleaseEvent(event: LogEvent): event is ReleaseEvent {
  return !isConfigEvent(event);
}
