import { rmSync } from "node:fs";
import { origin, type Position } from "../../model/commit.ts";
import { openCommit, sealEpochMarker } from "../../model/wire/commit.ts";
import type { Beacon } from "../../model/wire/log-record.ts";
import { linkFault } from "../log/commit-chain.ts";
import { type KeyedCommit, SqliteEventLog } from "../log/sqlite-event-log.ts";
import { inTurns } from "./blob-chunks.ts";
import type { LocalCopy } from "./local-copy.ts";
import type { LogStream } from "./log-stream.ts";
import { gatherHeads, isAhead, winner } from "./replica-heads.ts";
import type { Finding, StreamFollower } from "./stream-follower.ts";

/** Commits that are published, or read, in one go. */
const commitsAtOnce = 128;

/** A cluster's leader that was cut off may answer with an old end for this long, until it steps down. */
const staleLeaderMs = 10_000;

/** Request ids of commits that were lost to the log which one message names. */
const namedMax = 200;

export interface RepairParts {
  readonly stream: LogStream;
  readonly copy: LocalCopy;
  readonly follower: StreamFollower;
  readonly replicaId: string;
  /** Makes the streams where they are missing. */
  readonly makeStreams: () => Promise<void>;
  readonly headsGatherMs: number;
  /** After a server's restart the other replicas are back within this time: none is to think that it is alone. */
  readonly othersBackMs: number;
  readonly nowMs: () => number;
  readonly report: (level: "warn" | "error", message: string) => void;
  /** The copy was exchanged for another history. */
  readonly replaced: (detail: string) => void;
  /** The stream was written anew from this copy. */
  readonly rebuilt: () => Promise<void>;
}

export type RepairStep = { readonly mended: true } | { readonly mended: false; readonly detail: string };

type Suspicious = Exclude<Finding, { finding: "current" }>;

/**
 * Brings the stream and the replicas' copies back to one history, a step at a time; call again until it is mended.
 *
 * The longest chain among the replicas, by epoch, then revision, is the log. Its replica completes a stream that is a
 * beginning of it; a stream with holes, or of another history, is deleted and written anew. Either way a commit with a
 * later epoch follows. Every other replica waits, and sets its copy aside where it is of another history.
 */
export class LogRepair {
  readonly #parts: RepairParts;

  constructor(parts: RepairParts) {
    this.#parts = parts;
  }

  /** `suspectedMs`: for how long the stream has not been right. @throws NatsError, LogUnavailable */
  async step(suspectedMs: number): Promise<RepairStep> {
    const { stream, copy, follower, headsGatherMs } = this.#parts;
    const heads = await gatherHeads(stream.connection, stream.names, headsGatherMs);
    // Looked at again after the others have answered: what they have is in the stream by now, or it is not whole.
    const finding = await follower.inspect();
    const own: Beacon = { replica: this.#parts.replicaId, head: copy.head };
    const best = winner([...heads.filter(({ replica }) => replica !== own.replica), own]) ?? own;
    return follower.alone(async () => {
      if (finding.finding === "current") {
        if (!isAhead(best.head, own.head)) return { mended: true };
        return waiting(`replica ${best.replica} has revision ${best.head.revision} of the log`);
      }
      if (finding.finding === "forked" && (await this.#yields(finding, best.head))) {
        await this.#takeStream(finding);
        return waiting("the copy is taken anew from the stream");
      }
      if (best.replica !== own.replica) return waiting(`replica ${best.replica} is to rebuild the log's stream`);
      return this.#rebuild(finding, suspectedMs, heads);
    });
  }

  /** Whether the stream is sound, and no replica's chain is better than it: then this copy is what is wrong. */
  async #yields({ last }: { readonly last: number }, best: Position): Promise<boolean> {
    const end = await this.#soundEnd(last);
    return end !== undefined && !isAhead(best, end);
  }

  /** Where the stream ends, if all of it is one chain. */
  async #soundEnd(last: number, each?: (entry: KeyedCommit) => Promise<void>): Promise<Position | undefined> {
    let position: Position = origin;
    while (position.revision < last) {
      const from = position.revision;
      const entries: (KeyedCommit | undefined)[] = [];
      const count = Math.min(commitsAtOnce, last - from);
      await inTurns(
        Array.from({ length: count }),
        async (_, index) => {
          const any = await this.#parts.stream.anyAt(from + index + 1);
          const stored = any.read === "commit" ? any : await this.#parts.stream.leaderAt(from + index + 1);
          entries[index] = stored.read === "commit" ? stored : undefined;
        },
        commitsAtOnce / 2,
      );
      for (let index = 0; index < count; index += 1) {
        const entry = entries[index];
        if (entry === undefined || linkFault(position, { ...entry.key, ...entry.commit }) !== undefined)
          return undefined;
        await each?.(entry);
        position = { epoch: entry.key.epoch, revision: entry.key.revision, hash: entry.commit.hash };
      }
    }
    return position;
  }

  /** Exchanges the copy for the stream's history; says which commits only the old copy had. */
  async #takeStream({ detail }: { readonly detail: string }): Promise<void> {
    const { copy, report, replaced } = this.#parts;
    const aside = await copy.setAside(`set-aside-${this.#stamp()}`);
    report("error", `this replica's copy is of another history than the log (${detail}): it is kept as ${aside}`);
    const end = await this.#parts.stream.end();
    if (end.stream === "missing") return;
    await this.#soundEnd(end.last, async (entry) => {
      copy.offer(entry);
      if (entry.key.revision % commitsAtOnce === 0) await copy.synced();
    });
    await copy.synced();
    await this.#reportLost(aside);
    replaced(`the log is of another history than this replica followed; what only it had is in ${aside}`);
  }

  async #reportLost(aside: string): Promise<void> {
    const { copy, report } = this.#parts;
    const old = await SqliteEventLog.open({ path: aside });
    const lost: string[] = [];
    let count = 0;
    try {
      for (let after = 0; ; after += commitsAtOnce) {
        const entries = await old.readKeyed(after, commitsAtOnce);
        if (entries.length === 0) break;
        for (const { key } of entries) {
          if ((await copy.findRequest(key.requestId)) !== undefined) continue;
          count += 1;
          if (lost.length < namedMax) lost.push(`${key.revision} ${JSON.stringify(key.requestId)}`);
        }
      }
    } finally {
      await old.close();
      rmSync(`${aside}.lock`, { force: true });
    }
    if (count > 0)
      report("error", `${count} commits are only in ${aside}; revisions and request ids: ${lost.join(", ")}`);
  }

  async #rebuild(finding: Suspicious, suspectedMs: number, heads: readonly Beacon[]): Promise<RepairStep> {
    const { stream, copy, makeStreams, othersBackMs } = this.#parts;
    const { head } = copy;
    if (suspectedMs < othersBackMs) return waiting("the other replicas are asked again");
    if (finding.finding === "missing") {
      await makeStreams();
      if (head.revision === 0) return waiting("the streams are made");
      await this.#write(0, heads, "the stream was missing");
      return waiting("the stream is written anew");
    }
    if (finding.finding === "shorter" && (await this.#isBeginning(finding.last))) {
      // Also the other streams: whoever lost this one's end may have lost them.
      await makeStreams();
      await this.#write(finding.last, heads, `the stream ended at revision ${finding.last}`);
      return waiting("the stream is completed");
    }
    if (finding.finding === "holes" && finding.last > head.revision)
      return waiting(
        `${finding.detail}, and no replica that answers has the log up to ${finding.last}: start the one that has`,
      );
    if (head.revision === 0) return waiting("the stream is damaged, and no replica that answers has a copy");
    if (finding.replicas > 1 && suspectedMs < staleLeaderMs) return waiting("the stream's leader is asked again");
    const why = finding.finding === "shorter" ? "the stream was of another history" : finding.detail;
    await this.#keepStream(finding.last, why);
    await stream.remove();
    await makeStreams();
    await this.#write(0, heads, why);
    return waiting("the stream is written anew");
  }

  /** Whether the stream, as far as it goes, is what the copy begins with: a hash stands for all commits before it. */
  async #isBeginning(last: number): Promise<boolean> {
    if (last === 0) return true;
    const stored = await this.#parts.stream.leaderAt(last);
    return (
      stored.read === "commit" &&
      linkFault({ ...origin, revision: last - 1, hash: stored.key.parentHash }, { ...stored.key, ...stored.commit }) ===
        undefined &&
      this.#parts.copy.has(last, stored.commit.hash)
    );
  }

  /** Before a stream of another history is deleted, what can be read of it is kept in a file. */
  async #keepStream(last: number, why: string): Promise<void> {
    const { copy, report } = this.#parts;
    const path = `${copy.path}.stream-set-aside-${this.#stamp()}`;
    const kept = await SqliteEventLog.open({ path });
    let other = 0;
    try {
      await this.#soundEnd(last, async ({ commit, key }) => {
        if (!(await copy.has(key.revision, commit.hash))) other += 1;
        await kept.append(commit, key);
      });
    } finally {
      await kept.close();
      rmSync(`${path}.lock`, { force: true });
      if (other === 0) for (const side of ["", "-wal"]) rmSync(path + side, { force: true });
    }
    if (other > 0) report("error", `the log's stream is replaced (${why}): ${other} commits are only in ${path}`);
  }

  /** Publishes what the copy has after a revision, then the mark of a new epoch. */
  async #write(after: number, heads: readonly Beacon[], why: string): Promise<void> {
    const { stream, copy, replicaId, report, nowMs, rebuilt } = this.#parts;
    await copy.synced();
    const to = copy.head;
    let previous: string | undefined;
    for (let from = after; from < to.revision; from += commitsAtOnce) {
      const entries = await copy.log.readKeyed(from, commitsAtOnce);
      const acknowledged: Promise<void>[] = [];
      for (const entry of entries) {
        const { record } = await stream.prepare(entry);
        acknowledged.push(this.#publish(record, entry.key, previous));
        previous = entry.key.requestId;
      }
      await Promise.all(acknowledged);
    }
    const epoch = 1 + Math.max(to.epoch, ...heads.map(({ head }) => head.epoch));
    const reason = `replica ${replicaId} rebuilt the log's stream from its copy at revision ${to.revision}: ${why}`;
    const commit = sealEpochMarker(to, epoch, reason, nowMs());
    const opened = openCommit(commit);
    if ("fault" in opened) throw new Error(`an epoch's mark that can't be read: ${opened.detail}`);
    const { revision, parentHash, requestId } = opened.commit;
    const key = { revision, epoch, parentHash, requestId };
    const { record } = await stream.prepare({ commit, key });
    await this.#publish(record, key, undefined);
    copy.offer({ commit, key });
    await copy.synced();
    report("warn", `${reason}; epoch ${epoch} begins at revision ${revision}`);
    await rebuilt();
  }

  async #publish(record: Uint8Array, key: KeyedCommit["key"], after: string | undefined): Promise<void> {
    const { seq } = await this.#parts.stream.publish(record, key, after);
    if (seq !== key.revision)
      throw new Error(`revision ${key.revision} is stored, or was before, under sequence ${seq}`);
  }

  #stamp(): string {
    return new Date(this.#parts.nowMs()).toISOString().replaceAll(/[:.]/g, "-");
  }
}

function waiting(detail: string): RepairStep {
  return { mended: false, detail };
}
