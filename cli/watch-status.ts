import { setTimeout } from "node:timers/promises";
import type { Command } from "commander";
import type { Node, WatchFleetResponse } from "../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { CliFailure } from "./cli-failure.ts";
import { serverOf, withClient } from "./client/with-client.ts";
import type { CliContext } from "./context.ts";
import { isTerminal, print } from "./context.ts";
import { exitCode } from "./exit-code.ts";
import { fleetLine, nodesText, regionTable, summariesOf } from "./output/fleet-text.ts";
import { stateText } from "./output/node-table.ts";
import { safeText } from "./output/safe-text.ts";
import { renderFields } from "./output/table.ts";

/** After a control plane that was there went away. */
const tryAgainMs = 1000;

/** Shows the fleet as it changes, until interrupted, which ends it with code 0. */
export async function watchStatus(command: Command, context: CliContext): Promise<void> {
  const server = serverOf(command, context);
  const display = isTerminal(context) ? new RedrawnScreen(context, server) : new AppendedLines(context);
  let reached = false;
  while (!context.signal.aborted) {
    try {
      await withClient(command, context, async (client) => {
        const nodes = new Map<string, Node>();
        let complete = false;
        for await (const news of client.follow(() => client.fleet.watchFleet({ minInterval: undefined }))) {
          reached = true;
          for (const node of news.nodes) nodes.set(node.name, node);
          for (const name of news.removed) nodes.delete(name);
          complete ||= news.complete;
          if (complete) await display.show([...nodes.values()], news);
        }
        throw new CliFailure(exitCode.unreachable, `the control plane at ${server} ended the stream`);
      });
    } catch (error) {
      // To be interrupted is how watching ends.
      if (context.signal.aborted) return;
      if (!reached || !(error instanceof CliFailure) || error.code !== exitCode.unreachable) throw error;
      await display.lost(error.message.split("\n")[0] ?? "");
      await setTimeout(tryAgainMs, undefined, { signal: context.signal }).catch(() => undefined);
    }
  }
}

/** Cursor home, and nothing below it: what is written next stands in the place of what was there. */
const clearScreen = "\u001B[H\u001B[2J";

/** A terminal: the whole, in place. */
class RedrawnScreen {
  readonly #context: CliContext;
  readonly #server: string;
  #last = "";

  constructor(context: CliContext, server: string) {
    this.#context = context;
    this.#server = server;
  }

  async show(nodes: readonly Node[], { revision }: WatchFleetResponse): Promise<void> {
    const regions = summariesOf(nodes);
    const fields = renderFields([
      ["control plane", this.#server],
      ["revision", String(revision)],
      ["nodes", fleetLine(regions, nodes, revision)],
    ]);
    this.#last = fields + (regions.length === 0 ? "" : `\n${regionTable(regions)}`) + nodesText(nodes);
    await this.#draw(this.#last);
  }

  /** What was seen last stays, with a line that says that it is old. */
  async lost(why: string): Promise<void> {
    await this.#draw(`${safeText(why)}; trying again. What was seen last:\n\n${this.#last}`);
  }

  /** What does not fit is left out at the end: a screen that scrolls can't be drawn over. */
  async #draw(text: string): Promise<void> {
    const { stdout } = this.#context;
    const rows = "rows" in stdout && typeof stdout.rows === "number" ? stdout.rows : Number.POSITIVE_INFINITY;
    const lines = text.trimEnd().split("\n");
    const shown = lines.length < rows ? lines : [...lines.slice(0, Math.max(1, rows - 2)), "..."];
    await print(this.#context, `${clearScreen}${shown.join("\n")}\n`);
  }
}

/** A file or a pipe: a line for each change of a node's state, and one for the fleet where its counts changed. */
class AppendedLines {
  readonly #context: CliContext;
  #states: ReadonlyMap<string, string> = new Map();
  #summary = "";

  constructor(context: CliContext) {
    this.#context = context;
  }

  async show(nodes: readonly Node[], { revision }: WatchFleetResponse): Promise<void> {
    const states = new Map(nodes.map((node) => [node.name, stateText(node)]));
    const first = this.#summary === "";
    for (const [name, state] of states) {
      const before = this.#states.get(name);
      if (state !== before && !(first && state === "connected"))
        await this.#line(before === undefined ? `${name} ${state}` : `${name} ${before} -> ${state}`);
    }
    for (const name of this.#states.keys()) if (!states.has(name)) await this.#line(`${name} forgotten`);
    this.#states = states;
    const regions = summariesOf(nodes);
    const degraded = regions.reduce((sum, region) => sum + region.degraded, 0);
    const summary = `revision ${revision}: ${fleetLine(regions, nodes, revision)}; ${degraded} degraded`;
    // The number of connections changes all the time, and is left out.
    if (summary !== this.#summary) await this.#line(summary);
    this.#summary = summary;
  }

  async lost(why: string): Promise<void> {
    await this.#line(`${why}; trying again`);
  }

  async #line(text: string): Promise<void> {
    const time = `${new Date().toISOString().slice(0, 19).replace("T", " ")}Z`;
    await print(this.#context, `${time} ${safeText(text)}\n`);
  }
}
