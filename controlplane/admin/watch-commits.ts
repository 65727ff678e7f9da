import type { WatchCommitsRequest, WatchCommitsResponse } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import type { EventLog } from "../log/event-log.ts";
import type { LiveConfiguration } from "../state/live-configuration.ts";
import { sharesHistory } from "../state/log-follower.ts";
import type { Send } from "./handler.ts";
import { Refused } from "./refused.ts";
import { inParts } from "./stream-state.ts";

/** Streams of one control plane at once. */
const watchersMax = 10_000;

/** A follower that is more commits behind than this is sent a snapshot, where it takes one. */
const behindMax = 1000;

/** Commits read from the log at once. */
const readBatch = 64;

/** Silence is broken by a beacon this often, so that a follower can tell a quiet log from a dead one. */
const beaconIntervalMs = 1000;

/** How many watch now, and the wake-ups that they share. */
export class CommitWatchers {
  readonly #log: EventLog;
  #count = 0;

  constructor(log: EventLog) {
    this.#log = log;
  }

  get count(): number {
    return this.#count;
  }

  /**
   * One more follower, until its wake-up is closed. To be called before the log is looked at, so that no append falls
   * between the look and the wait.
   *
   * @throws Refused where there are too many, LogUnavailable
   */
  enter(signal: AbortSignal): WakeUp {
    if (this.#count >= watchersMax) throw new Refused("TOO_MANY", `${watchersMax} followers are connected already`);
    const wakeUp = new WakeUp(this.#log, signal, () => {
      this.#count -= 1;
    });
    this.#count += 1;
    return wakeUp;
  }
}

/** One follower's way to wait for the next append. */
class WakeUp {
  #pending = false;
  #resolve: (() => void) | undefined;
  readonly #stop: () => void;
  readonly #wake = (): void => {
    this.#pending = true;
    this.#resolve?.();
  };

  constructor(log: EventLog, signal: AbortSignal, left: () => void) {
    const unsubscribe = log.onAppend(this.#wake);
    signal.addEventListener("abort", this.#wake);
    this.#stop = () => {
      unsubscribe();
      signal.removeEventListener("abort", this.#wake);
      left();
    };
  }

  /** Resolves at an append since the last call, at abort, or after `timeoutMs`. */
  async wait(timeoutMs: number): Promise<void> {
    if (!this.#pending)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#resolve = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    this.#pending = false;
    this.#resolve = undefined;
  }

  close(): void {
    this.#stop();
  }
}

interface WatchParts {
  readonly log: EventLog;
  readonly live: LiveConfiguration;
  readonly watchers: CommitWatchers;
}

/** Sends every commit after the follower's position, as they come, until it goes. */
export async function watchCommits(
  { log, live, watchers }: WatchParts,
  request: WatchCommitsRequest,
  send: Send<WatchCommitsResponse>,
  signal: AbortSignal,
): Promise<void> {
  const wakeUp = watchers.enter(signal);
  try {
    await checkHistory(log, request);
    let sent = Number(request.afterRevision);
    if (request.snapshotAllowed && (await log.head()).revision - sent > behindMax) {
      await live.catchUp();
      // None that is ahead of what the follower may have to serve: what waits for a rollout comes in commits.
      if (live.oldestInUse - sent > behindMax) sent = await sendSnapshot(live, send);
    }
    while (!signal.aborted) {
      for (;;) {
        const commits = await log.read(sent, readBatch);
        if (commits.length === 0) break;
        for (const commit of commits) await send({ part: { $case: "commit", value: commit } });
        sent += commits.length;
      }
      const { epoch, revision, hash } = await log.head();
      await send({ part: { $case: "beacon", value: { epoch: BigInt(epoch), revision: BigInt(revision), hash } } });
      await wakeUp.wait(beaconIntervalMs);
    }
  } finally {
    wakeUp.close();
  }
}

async function checkHistory(log: EventLog, { afterRevision, afterHash }: WatchCommitsRequest): Promise<void> {
  const head = await log.head();
  if (afterRevision > head.revision)
    throw new Refused("FORKED", `the log ends at revision ${head.revision}; you stand at ${afterRevision}`);
  if (afterHash.length === 0) return;
  const revision = Number(afterRevision);
  if (!(await sharesHistory(log, { epoch: head.epoch, revision, hash: afterHash })))
    throw new Refused("FORKED", `the log's commit ${revision} is not the one that you have`);
}

async function sendSnapshot(live: LiveConfiguration, send: Send<WatchCommitsResponse>): Promise<number> {
  const { header, parts } = inParts(await live.configurationInUse());
  await send({ part: { $case: "snapshot", value: header } });
  for (const resources of parts) await send({ part: { $case: "resources", value: { resources } } });
  return Number(header.revision);
}
