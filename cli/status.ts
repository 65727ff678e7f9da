import { status } from "@grpc/grpc-js";
import type { Command } from "commander";
import type { CommitInfo } from "../proto/gen/switchyard/config/v1/commits.ts";
import type { ListCommitsResponse } from "../proto/gen/switchyard/config/v1/config_service.ts";
import { RolloutState } from "../proto/gen/switchyard/config/v1/releases.ts";
import type { GetFleetResponse } from "../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { Rollout } from "../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import type { AdminClient } from "./client/admin-client.ts";
import { getFleet } from "./client/fleet-calls.ts";
import { listNodes } from "./client/list-nodes.ts";
import { isServiceError } from "./client/refusal.ts";
import { getRollout } from "./client/rollout-calls.ts";
import { serverOf, withClient } from "./client/with-client.ts";
import type { CliContext } from "./context.ts";
import { print } from "./context.ts";
import { fleetLine, nodesText, regionTable } from "./output/fleet-text.ts";
import { timeText } from "./output/message-json.ts";
import { rolloutStateText } from "./output/rollout-words.ts";
import { renderFields } from "./output/table.ts";
import { examples } from "./run-cli.ts";
import { watchStatus } from "./watch-status.ts";

export function registerStatus(program: Command, context: CliContext): void {
  const command = program
    .command("status")
    .description("Show the control plane, its last commit, the nodes by region, and what they could not carry out.")
    .option("--watch", "go on showing it, on a terminal in place, else a line for each change, until interrupted")
    .addHelpText(
      "after",
      examples(
        ["switchyard status --server 10.0.0.5:7700", "a control plane elsewhere"],
        ["switchyard status --watch", "the fleet, live"],
      ),
    )
    .action(async (options: { readonly watch?: boolean }) => {
      if (options.watch === true) await watchStatus(command, context);
      else await printStatus(command, context);
    });
}

async function printStatus(command: Command, context: CliContext): Promise<void> {
  const { fleet, listed, commits, rollout } = await withClient(command, context, async (client) => ({
    fleet: await getFleet(client),
    listed: await listNodes(client),
    commits: await client.unary<ListCommitsResponse>((...tail) =>
      client.config.listCommits({ pageSize: 1, pageToken: "" }, ...tail),
    ),
    rollout: await rolloutUnderWay(client),
  }));
  await print(
    context,
    renderFields([
      ["control plane", `${serverOf(command, context)}, reachable${replicasText(fleet)}`],
      ["revision", revisionText(commits.commits[0])],
      ["nodes", fleetLine(fleet.regions, listed.nodes, fleet.revision)],
      ...(rollout === undefined ? [] : [["rollout", rolloutLine(rollout)] as const]),
    ]),
  );
  if (fleet.regions.length > 0) await print(context, `\n${regionTable(fleet.regions)}`);
  await print(context, nodesText(listed.nodes));
}

/** Undefined too where the control plane knows no rollouts, of an older version or as there never was one. */
async function rolloutUnderWay(client: AdminClient): Promise<Rollout | undefined> {
  try {
    const rollout = await getRollout(client, "");
    const { ROLLOUT_STATE_RUNNING: running, ROLLOUT_STATE_PAUSED: paused } = RolloutState;
    return rollout.state === running || rollout.state === paused ? rollout : undefined;
  } catch (error) {
    if (isServiceError(error) && (error.code === status.NOT_FOUND || error.code === status.UNIMPLEMENTED))
      return undefined;
    throw error;
  }
}

/** `rollouts/r12 PAUSED: revision 11, 2 of 3 waves released`. */
function rolloutLine({ name, state, targetRevision, waves, decisions }: Rollout): string {
  const released = `${decisions.at(-1)?.releasedWaves ?? 0} of ${waves.length} waves released`;
  return `${name} ${rolloutStateText(state)}: revision ${targetRevision}, ${released}`;
}

function replicasText({ replicas }: GetFleetResponse): string {
  return replicas.length > 1 ? `; replicas ${replicas.join(", ")}` : "";
}

function revisionText(head: CommitInfo | undefined): string {
  if (head === undefined) return "0: nothing has been committed yet";
  const reason = head.reason === "" ? "" : `: ${head.reason}`;
  return `${head.revision}, by ${head.author}, ${timeText(head.time)}${reason}`;
}
