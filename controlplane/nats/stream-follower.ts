import { sameBytes } from "../../model/commit.ts";
import { commitFault } from "../log/commit-chain.ts";
import { inTurns } from "./blob-chunks.ts";
import type { LocalCopy } from "./local-copy.ts";
import type { LogStream, StoredAt } from "./log-stream.ts";
import { readRecordMessage } from "./record-message.ts";

/** Direct gets under way at once, and revisions that are asked for before the copy has taken them. */
const getsAtOnce = 64;
const gapAtOnce = 512;

/** Revisions that are compared with the copy in one step of the scrub, and of them at once. */
const scrubbedInStep = 256;
const comparedAtOnce = 32;

/** How the stream stands to the copy. All but the first is a reason to repair. */
export type Finding =
  | { readonly finding: "current" }
  /** The stream ends before the copy; what it has is not compared yet. */
  | { readonly finding: "shorter"; readonly last: number; readonly replicas: number }
  | { readonly finding: "missing" }
  | { readonly finding: "holes"; readonly last: number; readonly replicas: number; readonly detail: string }
  /** A sound commit, and another than the copy has, or one that does not continue the copy. */
  | { readonly finding: "forked"; readonly last: number; readonly replicas: number; readonly detail: string };

type Present = { readonly last: number; readonly replicas: number };

/** Brings a copy up to its stream, and sees where the two differ. */
export class StreamFollower {
  readonly #stream: LogStream;
  readonly #copy: LocalCopy;
  #running: Promise<unknown> = Promise.resolve();
  #waiting: Promise<Finding> | undefined;
  #scrubbed = 0;
  #scrubUrgent = true;
  /** Where the scrub found damage, which the stream's end does not show; 0 for nowhere. */
  #damagedAt = 0;

  constructor(stream: LogStream, copy: LocalCopy) {
    this.#stream = stream;
    this.#copy = copy;
  }

  /** Hears the republished feed. `gap` is called where commits before one are missing. Returns the way to stop. */
  subscribe(gap: () => void): () => void {
    const subscription = this.#stream.connection.subscribe(this.#stream.names.feedSubject, {
      callback: (error, { headers, data }) => {
        if (error !== null || headers === undefined) return;
        const revision = Number(headers.get("Nats-Sequence"));
        if (!Number.isSafeInteger(revision) || revision <= this.#copy.head.revision) return;
        const message = readRecordMessage(revision, headers, data);
        if (message.read === "commit") this.#copy.offer(message);
        if (message.read !== "commit" || !this.#copy.holds(this.#copy.head.revision + 1)) gap();
      },
    });
    return () => subscription.unsubscribe();
  }

  /**
   * Brings the copy up to where the stream ends at the time of the call; calls that come together share the work.
   *
   * @throws NatsError where the server can't be reached, LogUnavailable where the copy can't be written
   */
  refresh(): Promise<Finding> {
    this.#waiting ??= this.alone(async () => {
      this.#waiting = undefined;
      return this.#refresh();
    });
    return this.#waiting;
  }

  /** The same, and the commit at the copy's head is compared too. */
  inspect(): Promise<Finding> {
    return this.alone(async () => {
      const finding = await this.#refresh();
      if (finding.finding !== "current") return finding;
      return (await this.#inspectAt(this.#damagedAt)) ?? (await this.#inspectAt(this.#copy.head.revision)) ?? finding;
    });
  }

  /** Compares one revision with what the leader has. Undefined where they agree. */
  async #inspectAt(revision: number): Promise<Finding | undefined> {
    const [commit] = revision === 0 ? [] : await this.#copy.read(revision - 1, 1);
    if (commit === undefined) return undefined;
    const found = await this.#compare(revision, commit.hash, await this.#stream.leaderAt(revision));
    if (found.finding !== "current") return found;
    if (revision === this.#damagedAt) this.#damagedAt = 0;
    return undefined;
  }

  /** Whether the stream has not been compared as a whole since the server came back: then it is likeliest damaged. */
  get scrubUrgent(): boolean {
    return this.#scrubUrgent;
  }

  /** The server may have been away: the scrub begins anew. */
  scrubAgain(): void {
    this.#scrubbed = 0;
    this.#scrubUrgent = true;
  }

  /** Compares some more of the stream with the copy, and stores bodies again that are lost. */
  async scrub(): Promise<Finding> {
    const from = this.#scrubbed >= this.#copy.head.revision ? 0 : this.#scrubbed;
    await this.#copy.synced();
    const entries = await this.#copy.log.readKeyed(from, scrubbedInStep);
    let found: Finding = { finding: "current" };
    await inTurns(
      entries,
      async ({ commit, key: { revision } }) => {
        const any = await this.#stream.anyAt(revision);
        if (any.read === "commit" && sameBytes(any.commit.hash, commit.hash) && !commitFault(revision, any.commit))
          return;
        const leaders = await this.#stream.leaderAt(revision);
        if (leaders.read === "bodiless" && sameBytes(leaders.hash, commit.hash)) {
          await this.#stream.putBody({ commit });
          return;
        }
        const finding = await this.#compare(revision, commit.hash, leaders);
        if (finding.finding === "current") return;
        found = finding;
        this.#damagedAt = revision;
      },
      comparedAtOnce,
    );
    this.#scrubbed = entries.at(-1)?.key.revision ?? 0;
    if (this.#scrubbed >= this.#copy.head.revision) this.#scrubUrgent = false;
    return found;
  }

  /** Runs the work while nothing else here does. */
  alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#running.then(work);
    this.#running = done.catch(() => undefined);
    return done;
  }

  async #refresh(): Promise<Finding> {
    // Taken before the question: the stream had at least this much then, unless it has lost something.
    const { revision } = this.#copy.head;
    const end = await this.#stream.end();
    if (end.stream === "missing") return { finding: "missing" };
    const present = { last: end.last, replicas: end.replicas };
    if (end.last < revision) return { finding: "shorter", ...present };
    if (end.holes) return { finding: "holes", ...present, detail: "its messages are fewer than its sequences" };
    return this.#catchUp(present);
  }

  async #catchUp(present: Present): Promise<Finding> {
    let confirmed = 0;
    while (this.#copy.head.revision < present.last) {
      const at = this.#copy.head.revision;
      const missing: number[] = [];
      for (let revision = at + 1; revision <= Math.min(present.last, at + gapAtOnce); revision += 1) {
        if (!this.#copy.holds(revision)) missing.push(revision);
      }
      let finding: Finding | undefined;
      await inTurns(
        missing,
        async (revision) => {
          finding = (await this.#fetch(revision, present)) ?? finding;
        },
        getsAtOnce,
      );
      if (this.#copy.unwritten >= gapAtOnce) await this.#copy.synced();
      const fault = this.#copy.takeFault();
      // What was heard on the feed, or read from a server that lags, may be of another time: the leader's word counts.
      if (fault !== undefined && confirmed !== fault.revision) {
        confirmed = fault.revision;
        const leaders = await this.#stream.leaderAt(fault.revision);
        if (leaders.read === "commit") this.#copy.offer(leaders);
        continue;
      }
      if (fault !== undefined) return { finding: "forked", ...present, detail: fault.detail };
      if (finding !== undefined && this.#copy.head.revision === at) return finding;
    }
    return { finding: "current" };
  }

  async #fetch(revision: number, present: Present): Promise<Finding | undefined> {
    const any = await this.#stream.anyAt(revision);
    const stored = any.read === "commit" ? any : await this.#stream.leaderAt(revision);
    if (stored.read === "commit") {
      this.#copy.offer(stored);
      return undefined;
    }
    return { finding: "holes", ...present, detail: faultOf(revision, stored) };
  }

  async #compare(revision: number, hash: Uint8Array, stored: StoredAt): Promise<Finding> {
    if (stored.read === "commit" && sameBytes(stored.commit.hash, hash) && !commitFault(revision, stored.commit))
      return { finding: "current" };
    if (stored.read === "bodiless" && sameBytes(stored.hash, hash)) return { finding: "current" };
    const end = await this.#stream.end();
    if (end.stream === "missing") return { finding: "missing" };
    const present = { last: end.last, replicas: end.replicas };
    if (end.last < revision) return { finding: "shorter", ...present };
    const sound = stored.read === "commit" && commitFault(revision, stored.commit) === undefined;
    if (sound) return { finding: "forked", ...present, detail: `revision ${revision} is another commit` };
    return { finding: "holes", ...present, detail: faultOf(revision, stored) };
  }
}

function faultOf(revision: number, stored: StoredAt): string {
  switch (stored.read) {
    case "missing":
      return `revision ${revision} is missing`;
    case "malformed":
      return `revision ${revision} can't be read: ${stored.detail}`;
    case "bodiless":
      return `revision ${revision}: its body is missing`;
    case "commit":
      return commitFault(revision, stored.commit) ?? `revision ${revision} is another commit`;
  }
}
