import { setTimeout as delay } from "node:timers/promises";
import type { BenchProcess } from "./bench-process.ts";
import type { FollowerWorkerSetting } from "./follower-worker.ts";
import type { TestBed } from "./test-bed.ts";

const answerWithinMs = 30_000;
const askAgainMs = 100;

/** Followers per process: a few processes hold them all, and none of them waits long for its own garbage collector. */
const followersPerWorker = 250;

/** Followers on connections of their own, in a few child processes. */
export class FollowerFleet {
  readonly #workers: readonly FollowerWorker[];
  readonly size: number;

  /** `first` is the number of the first one; no two fleets of a bed may share numbers. */
  constructor(bed: TestBed, url: string, followers: number, first: number) {
    this.size = followers;
    const workers: FollowerWorker[] = [];
    for (let begun = 0; begun < followers; begun += followersPerWorker) {
      const count = Math.min(followersPerWorker, followers - begun);
      const setting: FollowerWorkerSetting = { url, followers: count, first: first + begun };
      workers.push(new FollowerWorker(bed.worker("follower-worker.js", setting)));
    }
    this.#workers = workers;
  }

  /** When each follower's table was at the revision, on the shared clock. */
  async swapped(revision: number, withinMs: number): Promise<readonly number[]> {
    return (await Promise.all(this.#workers.map((worker) => worker.swapped(revision, withinMs)))).flat();
  }

  /** Resolves when all follow the log at this revision, with one digest. */
  async current(revision: number, withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const states = await Promise.all(this.#workers.map((worker) => worker.state()));
      const following = states.reduce((sum, state) => sum + state.following, 0);
      const revisions = new Set(states.flatMap((state) => state.revisions));
      const digests = new Set(states.flatMap((state) => state.digests));
      if (following === this.size && revisions.size === 1 && revisions.has(revision)) {
        if (digests.size === 1) return;
        throw new Error(`${digests.size} digests at revision ${revision}`);
      }
      if (performance.now() > deadline) {
        const lastLost = states.map((state) => state.lastLost).find((why) => why !== "");
        const at = [...revisions].slice(0, 5).join(", ");
        throw new Error(
          `after ${withinMs} ms ${following} of ${this.size} follow, at ${at} and not ${revision}; ${lastLost ?? ""}`,
        );
      }
      await delay(askAgainMs);
    }
  }
}

interface WorkerState {
  readonly following: number;
  readonly revisions: readonly number[];
  readonly digests: readonly string[];
  readonly lastLost: string;
}

/** One process: what it tells unasked (swaps) and what it answers (its state) come in one stream, told apart here. */
class FollowerWorker {
  readonly #process: BenchProcess;
  readonly #swaps = new Map<number, readonly number[]>();

  constructor(process: BenchProcess) {
    this.#process = process;
  }

  async swapped(revision: number, withinMs: number): Promise<readonly number[]> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const times = this.#swaps.get(revision);
      if (times !== undefined) {
        this.#swaps.delete(revision);
        return times;
      }
      this.#take(await this.#process.message(Math.max(1, deadline - performance.now())));
    }
  }

  async state(): Promise<WorkerState> {
    this.#process.send("state");
    for (;;) {
      const message = await this.#process.message(answerWithinMs);
      if ("following" in message) return message as unknown as WorkerState;
      this.#take(message);
    }
  }

  #take(message: Record<string, unknown>): void {
    this.#swaps.set(message["revision"] as number, message["times"] as readonly number[]);
  }
}
