import { setTimeout } from "node:timers/promises";
import type { Command } from "commander";
import type { Rollout } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import { CliFailure } from "../cli-failure.ts";
import { parseTimeoutMs } from "../client/server-address.ts";
import { serverOf, timeoutFallback, withClient } from "../client/with-client.ts";
import type { CliContext } from "../context.ts";
import { exitCode } from "../exit-code.ts";
import type { OutputForm } from "../output/output-form.ts";
import { endOf } from "./rollout-end.ts";
import { rolloutDisplay } from "./rollout-display.ts";
import type { RolloutDisplay } from "./rollout-display.ts";

/** After a control plane that was there went away. */
const tryAgainMs = 1000;

export interface Watched {
  /** Full; empty for the one under way, or else the newest. */
  readonly name: string;
  readonly exitOnPause?: boolean;
  readonly output: OutputForm;
}

/**
 * Shows a rollout until it has ended, and finishes with the exit code that says how. Once it has ended, nodes have `--timeout` to
 * get where they belong. A control plane that goes away is waited for. Answers the rollout as it was seen last.
 */
export async function watchRollout(command: Command, context: CliContext, watched: Watched): Promise<Rollout> {
  const display = rolloutDisplay(context, watched.output);
  try {
    return await new RolloutWatch(command, context, watched, display).run();
  } finally {
    display.close();
  }
}

class RolloutWatch {
  readonly #command: Command;
  readonly #context: CliContext;
  readonly #watched: Watched;
  readonly #display: RolloutDisplay;
  readonly #settleMs: number;
  /** Aborted when nodes have had long enough to get where they belong. */
  readonly #settle = new AbortController();
  #settleTimer: NodeJS.Timeout | undefined;
  #last: Rollout | undefined;
  #settled = false;

  constructor(command: Command, context: CliContext, watched: Watched, display: RolloutDisplay) {
    this.#command = command;
    this.#context = context;
    this.#watched = watched;
    this.#display = display;
    this.#settleMs = parseTimeoutMs(command.optsWithGlobals<{ timeout?: string }>().timeout ?? timeoutFallback);
  }

  async run(): Promise<Rollout> {
    // Aborted by whichever comes first.
    const signal = AbortSignal.any([this.#context.signal, this.#settle.signal]);
    try {
      while (!signal.aborted && !(await this.#followOnce(signal)))
        await setTimeout(tryAgainMs, undefined, { signal }).catch(() => undefined);
    } finally {
      globalThis.clearTimeout(this.#settleTimer);
    }
    return this.#finish();
  }

  /** One stream to its end; answers whether that is also the end of watching. */
  async #followOnce(signal: AbortSignal): Promise<boolean> {
    try {
      return await withClient(this.#command, { ...this.#context, signal }, async (client) => {
        const name = this.#last?.name ?? this.#watched.name;
        for await (const { rollout } of client.follow(() =>
          client.rollout.watchRollout({ name, minInterval: undefined }),
        )) {
          if (rollout === undefined) continue;
          this.#last = rollout;
          await this.#display.show(rollout);
          if (this.#isOver(rollout)) return true;
        }
        // The control plane ends the stream of an ended rollout once every reachable node is where it belongs by now.
        this.#settled = this.#end() !== undefined;
        if (this.#settled) return true;
        throw new CliFailure(
          exitCode.unreachable,
          `the control plane at ${serverOf(this.#command, this.#context)} ended the stream`,
        );
      });
    } catch (error) {
      if (signal.aborted) return true;
      if (this.#last === undefined || !(error instanceof CliFailure) || error.code !== exitCode.unreachable)
        throw error;
      await this.#display.lost(error.message.split("\n")[0] ?? "");
      return false;
    }
  }

  /** Whether nothing more is to come of it. An end that nodes have yet to follow begins their time. */
  #isOver(rollout: Rollout): boolean {
    const end = endOf(rollout, this.#watched.exitOnPause ?? false);
    if (end === undefined) return false;
    if (end.unsettled === undefined || end.unsettled === 0) return true;
    this.#settleTimer ??= globalThis.setTimeout(() => this.#settle.abort(), this.#settleMs);
    return false;
  }

  #end(): ReturnType<typeof endOf> {
    return this.#last && endOf(this.#last, this.#watched.exitOnPause ?? false);
  }

  async #finish(): Promise<Rollout> {
    const end = this.#end();
    if (this.#last === undefined || end === undefined) {
      const short = this.#last?.name.replace(/^rollouts\//, "");
      const goesOn =
        short === undefined
          ? ""
          : `; ${this.#last?.name} goes on\n\`switchyard rollout status ${short} --watch\` shows it again`;
      throw new CliFailure(exitCode.interrupted, `interrupted${goesOn}`);
    }
    const unsettled = this.#settled ? 0 : (end.unsettled ?? 0);
    const nodes = unsettled === 1 ? "1 reachable node is" : `${unsettled} reachable nodes are`;
    await this.#display.end(unsettled === 0 ? end.text : `${end.text}; ${nodes} not there yet`);
    this.#context.finish(end.code);
    return this.#last;
  }
}
