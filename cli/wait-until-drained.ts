import { setTimeout } from "node:timers/promises";
import type { Command } from "commander";
import { CliFailure } from "./cli-failure.ts";
import { listServerStatuses } from "./client/fleet-calls.ts";
import { listNodes } from "./client/list-nodes.ts";
import { parseTimeoutMs } from "./client/server-address.ts";
import { withClient } from "./client/with-client.ts";
import type { CliContext } from "./context.ts";
import { note } from "./context.ts";
import { DrainProgress, type DrainStand } from "./drain-progress.ts";
import { exitCode } from "./exit-code.ts";
import { safeText } from "./output/safe-text.ts";
import { ProgressLine } from "./progress-line.ts";

const lookEveryMs = 500;

/** For one look. */
const lookTimeoutMs = 10_000;

export interface Drained {
  readonly name: string;
  /** As the control plane's list has it: `drain`, `maintenance`. */
  readonly state: string;
  /** What the nodes must have taken; undefined for the log's head. */
  readonly revision: bigint | undefined;
}

/**
 * Shows how a server's connections end, until none is left; `--timeout` bounds it. A control plane that goes away is waited
 * for. To be interrupted, or late, leaves the server in its state, and says so.
 */
export async function waitUntilDrained(command: Command, context: CliContext, drained: Drained): Promise<void> {
  const { timeout } = command.optsWithGlobals<{ timeout?: string }>();
  const endMs = timeout === undefined ? Number.POSITIVE_INFINITY : performance.now() + parseTimeoutMs(timeout);
  const line = new ProgressLine(context);
  const watch = new DrainWatch(command, context, drained);
  try {
    while (!(await watch.look(line))) {
      if (performance.now() >= endMs) throw watch.failure(exitCode.connectionsLeft, `after ${timeout}`);
      await setTimeout(lookEveryMs, undefined, { signal: context.signal }).catch(() => undefined);
      if (context.signal.aborted) throw watch.failure(exitCode.interrupted, "interrupted");
    }
  } finally {
    await line.end();
  }
  if (watch.lost.length > 0)
    note(
      context,
      `not connected, and not counted: ${watch.lost.slice(0, 5).join(", ")}${watch.lost.length > 5 ? ", ..." : ""}`,
    );
}

class DrainWatch {
  readonly #command: Command;
  readonly #context: CliContext;
  readonly #drained: Drained;
  #progress: DrainProgress | undefined;
  #last: DrainStand | undefined;
  /** Nodes that are not connected. */
  lost: readonly string[] = [];

  constructor(command: Command, context: CliContext, drained: Drained) {
    this.#command = command;
    this.#context = context;
    this.#drained = drained;
  }

  /** Answers whether nothing is left. */
  async look(line: ProgressLine): Promise<boolean> {
    try {
      const stand = await this.#stand();
      this.#last = stand;
      await line.show(stand.text);
      return stand.done;
    } catch (error) {
      if (this.#context.signal.aborted) throw this.failure(exitCode.interrupted, "interrupted");
      if (!(error instanceof CliFailure) || error.code !== exitCode.unreachable) throw error;
      await line.show(`${error.message.split("\n")[0] ?? ""}; trying again`);
      return false;
    }
  }

  failure(code: typeof exitCode.connectionsLeft | typeof exitCode.interrupted, why: string): CliFailure {
    const { name, state } = this.#drained;
    const stand = this.#last?.text ?? "nothing is known of its connections";
    const short = name.replace(/^farms\//, "").replace("/servers/", "/");
    const stays = `${safeText(name)} stays in ${state}: \`switchyard ready ${short}\` takes it back`;
    const resumed = `clients whose TLS sessions it has may still come; \`switchyard maintenance ${short}\` refuses them too`;
    const hints = state === "drain" && code === exitCode.connectionsLeft ? [stays, resumed] : [stays];
    return new CliFailure(code, [`${why}: ${stand}`, ...hints].join("\n"));
  }

  #stand(): Promise<DrainStand> {
    const { name, state, revision } = this.#drained;
    const use = { timeoutMs: lookTimeoutMs };
    return withClient(
      this.#command,
      this.#context,
      async (client) => {
        const before = await listNodes(client);
        this.lost = before.nodes.filter((node) => !node.connected).map((node) => node.name.replace(/^nodes\//, ""));
        const progress = (this.#progress ??= new DrainProgress(revision ?? before.revision));
        const statuses = await listServerStatuses(client, name.replace(/\/servers\/[^/]*$/, ""));
        const status = statuses.find(({ server }) => server === name);
        if (status === undefined) throw new CliFailure(exitCode.failed, `there is no ${name} any more`);
        if (status.state !== state) throw new CliFailure(exitCode.failed, `${name} is in ${status.state} now`);
        const stand = progress.look(before.nodes, status);
        if (!stand.done && stand.connections === 0n) progress.seen((await listNodes(client)).nodes);
        return stand;
      },
      use,
    );
  }
}
