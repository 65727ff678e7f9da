import { Option } from "commander";
import type { Command } from "commander";
import { Commit, CommitInfo } from "../proto/gen/switchyard/config/v1/commits.ts";
import { CliFailure } from "./cli-failure.ts";
import type { AdminClient } from "./client/admin-client.ts";
import { newestCommits } from "./client/list-commits.ts";
import { withClient } from "./client/with-client.ts";
import type { CliContext } from "./context.ts";
import { print } from "./context.ts";
import { exitCode } from "./exit-code.ts";
import { messageJson, timeText } from "./output/message-json.ts";
import { releasesOf } from "./output/release-text.ts";
import { safeDocument } from "./output/safe-text.ts";
import { formatRow } from "./output/table.ts";
import { examples } from "./run-cli.ts";

interface HistoryOptions {
  readonly follow?: boolean;
  readonly output: "table" | "json";
  readonly limit?: string;
}

const listedByDefault = 50;
const listedBeforeFollowing = 10;

export function registerHistory(program: Command, context: CliContext): void {
  const command = program
    .command("history")
    .description("Show the commits: newest first, or with --follow as they happen.")
    .option("--follow", "show the last commits, oldest first, then each new one as it comes, until interrupted")
    .option("-n, --limit <count>", `how many (default: ${listedByDefault}, ${listedBeforeFollowing} with --follow)`)
    .addOption(
      new Option("-o, --output <form>", "form of the output; json is one commit a line")
        .choices(["table", "json"])
        .default("table"),
    )
    .addHelpText(
      "after",
      examples(
        ["switchyard history -n 5", "the last five changes"],
        ["switchyard history --follow -o json | jq .author", "who changes what, live"],
      ),
    )
    .action(async (options: HistoryOptions) => {
      const limit = limitOf(options);
      await withClient(command, context, async (client) => {
        const commits = await newestCommits(client, limit);
        const printer = new HistoryPrinter(context, options.output);
        if (options.follow !== true) {
          await printer.print(commits);
          return;
        }
        await printer.print(commits.reverse());
        await follow(client, context, printer, commits.at(-1));
      });
    });
}

function limitOf({ limit, follow }: HistoryOptions): number {
  if (limit === undefined) return follow === true ? listedBeforeFollowing : listedByDefault;
  if (!/^\d{1,9}$/.test(limit)) throw new CliFailure(exitCode.usage, `--limit must be a whole number, not ${limit}`);
  return Number(limit);
}

/** Prints what is committed after `last`, for as long as the signal and the control plane let it. */
async function follow(
  client: AdminClient,
  context: CliContext,
  printer: HistoryPrinter,
  last: CommitInfo | undefined,
): Promise<void> {
  // With nothing listed the newest is still where to begin, unless there is none.
  const from = last ?? (await newestCommits(client, 1))[0];
  const request = {
    afterRevision: from?.revision ?? 0n,
    // The hash has a log that was replaced meanwhile say so, instead of going on with another history.
    afterHash: from?.hash ?? new Uint8Array(0),
    snapshotAllowed: false,
  };
  try {
    for await (const { part } of client.follow(() => client.config.watchCommits(request))) {
      if (part?.$case !== "commit") continue;
      const commit = Commit.decode(part.value.body);
      await printer.print([
        { ...commit, hash: part.value.hash, eventCount: commit.events.length, releases: releasesOf(commit) },
      ]);
    }
  } catch (error) {
    // To be interrupted is how following ends.
    if (context.signal.aborted) return;
    throw error;
  }
  throw new CliFailure(exitCode.unreachable, "the control plane ended the stream");
}

const headers = ["REVISION", "TIME", "AUTHOR", "EVENTS", "REASON"];

/** Rows that come a few at a time: the widths are those of the first ones, and stay, so that columns do not jump. */
class HistoryPrinter {
  readonly #context: CliContext;
  readonly #output: HistoryOptions["output"];
  #widths: readonly number[] | undefined;

  constructor(context: CliContext, output: HistoryOptions["output"]) {
    this.#context = context;
    this.#output = output;
  }

  async print(commits: readonly CommitInfo[]): Promise<void> {
    if (this.#output === "json") {
      for (const commit of commits) {
        const json = messageJson("switchyard.config.v1.CommitInfo", CommitInfo, commit);
        await print(this.#context, `${safeDocument(JSON.stringify(json))}\n`);
      }
      return;
    }
    const rows = commits.map((commit) => [
      String(commit.revision),
      timeText(commit.time),
      commit.author,
      String(commit.eventCount),
      whyText(commit),
    ]);
    if (this.#widths === undefined) {
      this.#widths = headers.map((header, column) =>
        rows.reduce(
          (width, row) => Math.max(width, row[column]?.length ?? 0),
          Math.max(header.length, widthMin[column] ?? 0),
        ),
      );
      await print(this.#context, `${formatRow(headers, this.#widths)}\n`);
    }
    for (const row of rows) await print(this.#context, `${formatRow(row, this.#widths)}\n`);
  }
}

/** A time has this width, and it is kept free for one before the first commit has come. */
const widthMin = [0, "2026-11-22 12:51:36Z".length];

/** Why, and for a commit about a rollout, what it did to it. */
function whyText({ reason, releases }: CommitInfo): string {
  const done = releases.join("; ");
  if (done === "") return reason;
  return reason === "" ? done : `${reason} (${done})`;
}
