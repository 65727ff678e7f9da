import type { Command } from "commander";
import type { GetServerResponse, UpdateServerResponse } from "../proto/gen/switchyard/config/v1/config_service.ts";
import { Server, ServerState } from "../proto/gen/switchyard/config/v1/resources.ts";
import { kindOfName } from "../model/resource-name.ts";
import { CliFailure } from "./cli-failure.ts";
import { withClient } from "./client/with-client.ts";
import type { CliContext } from "./context.ts";
import { print } from "./context.ts";
import { exitCode } from "./exit-code.ts";
import { enumText } from "./output/resource-table.ts";
import { safeText } from "./output/safe-text.ts";
import { examples } from "./run-cli.ts";
import { parseTarget } from "./target-argument.ts";
import { waitUntilDrained } from "./wait-until-drained.ts";
import { addWriteOptions, writeOf } from "./write-options.ts";

interface StateVerb {
  readonly verb: string;
  readonly state: ServerState;
  readonly description: string;
  readonly examples: readonly (readonly [string, string])[];
}

const drain: StateVerb = {
  verb: "drain",
  state: ServerState.SERVER_STATE_DRAIN,
  description:
    "Send a server no new connections, but for clients whose TLS sessions it has and routes that name it. Live ones go on.",
  examples: [
    ["switchyard drain web/a", "put farms/web/servers/a in DRAIN"],
    ["switchyard drain web/a --wait --timeout 10m", "and watch its connections end, for ten minutes at most"],
  ],
};
const maintenance: StateVerb = {
  verb: "maintenance",
  state: ServerState.SERVER_STATE_MAINTENANCE,
  description: "Send a server no new connections at all. Live ones go on.",
  examples: [["switchyard maintenance web/a --reason 'new disk'", "put farms/web/servers/a in MAINTENANCE"]],
};
const ready: StateVerb = {
  verb: "ready",
  state: ServerState.SERVER_STATE_READY,
  description: "Send a server connections again.",
  examples: [["switchyard ready web/a", "put farms/web/servers/a in READY"]],
};

export function registerDrain(program: Command, context: CliContext): void {
  register(program, context, drain);
}

export function registerMaintenance(program: Command, context: CliContext): void {
  register(program, context, maintenance);
}

export function registerReady(program: Command, context: CliContext): void {
  register(program, context, ready);
}

function register(program: Command, context: CliContext, verb: StateVerb): void {
  const command = program
    .command(verb.verb)
    .description(verb.description)
    .argument("<server>", "farms/web/servers/a, or web/a");
  if (verb !== ready)
    command.option(
      "--wait",
      "show the connections that are left on the connected nodes, until there are none; --timeout bounds it",
    );
  addWriteOptions(command)
    .addHelpText("after", examples(...verb.examples))
    .action(async (word: string, options: { readonly wait?: boolean; readonly dryRun?: boolean }) => {
      const name = serverName(word);
      if (options.wait === true && options.dryRun === true)
        throw new CliFailure(exitCode.usage, "--wait and --dry-run do not go together: nothing would be changed");
      const revision = await changeState(command, context, name, verb.state);
      if (options.wait === true)
        await waitUntilDrained(command, context, { name, state: stateText(verb.state), revision });
    });
}

function serverName(word: string): string {
  // As a short name it would mean the server `web` of a farm that is called `farms`.
  if (kindOfName(word) === "farm")
    throw new CliFailure(
      exitCode.usage,
      `${word} is not the name of a server: ${word}/servers/a, or ${word.slice("farms/".length)}/a`,
    );
  return parseTarget(["server", word], undefined).names[0] ?? word;
}

/**
 * Changes the state and nothing else, of the server as it was read: what somebody else changed meanwhile refuses it. Answers
 * the revision; undefined where it is so already, perhaps by an attempt whose answer was lost.
 */
async function changeState(
  command: Command,
  context: CliContext,
  name: string,
  state: ServerState,
): Promise<bigint | undefined> {
  const write = writeOf(command, context);
  const changed = await withClient(
    command,
    context,
    async (client) => {
      const { server } = await client.unary<GetServerResponse>((...tail) => client.config.getServer({ name }, ...tail));
      if (server?.state === state) return undefined;
      const wanted = Server.fromPartial({ name, state, etag: server?.etag ?? "" });
      const { revision } = await client.unary<UpdateServerResponse>((...tail) =>
        client.config.updateServer({ server: wanted, updateMask: ["state"], write }, ...tail),
      );
      return { before: server?.state ?? ServerState.SERVER_STATE_UNSPECIFIED, revision };
    },
    write.validateOnly ? {} : { requestId: write.requestId },
  );
  if (changed === undefined) {
    await print(context, `${safeText(name)} is in ${stateText(state)} already\n`);
    return undefined;
  }
  const { before, revision } = changed;
  const said = `${safeText(name)}: ${stateText(before)} -> ${stateText(state)}`;
  await print(
    context,
    write.validateOnly ? `dry run: ${said}; still at revision ${revision}\n` : `${said}; now at revision ${revision}\n`,
  );
  return revision;
}

function stateText(state: ServerState): string {
  return enumText(ServerState, state, "SERVER_STATE_");
}
