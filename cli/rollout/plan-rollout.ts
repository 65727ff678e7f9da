import type { Command } from "commander";
import type { CommitInfo } from "../../proto/gen/switchyard/config/v1/commits.ts";
import { PlanRolloutResponse } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import type { AdminClient } from "../client/admin-client.ts";
import { configurationAt } from "../client/configuration-at.ts";
import { newestCommits } from "../client/list-commits.ts";
import { getCommit } from "../client/revision-argument.ts";
import { withClient } from "../client/with-client.ts";
import type { CliContext } from "../context.ts";
import { print } from "../context.ts";
import { messageJson } from "../output/message-json.ts";
import { documentText, outputOption } from "../output/output-form.ts";
import type { OutputForm } from "../output/output-form.ts";
import { resourceDiff } from "../output/resource-diff.ts";
import { rolloutPlanText } from "../output/rollout-plan-text.ts";
import { examples } from "../run-cli.ts";
import { policyName, targetRevision } from "./rollout-argument.ts";

/** Of the commits that would be released, the newest are shown. */
const commitsShownMax = 20;

/** Commits that wait are mostly among the last; one that is not is asked for by itself. */
const commitsListed = 200;

interface PlanOptions {
  readonly policy?: string;
  readonly revision?: string;
  readonly diff?: boolean;
  readonly output: OutputForm;
}

export function registerPlan(rollout: Command, context: CliContext): void {
  const command = rollout
    .command("plan")
    .description("Show what a rollout would do: changes, waves, live connections, hellos that would go elsewhere.")
    .option("--policy <name>", "the policy to go by: rolloutPolicies/careful, or careful (default: the default one)")
    .option("--revision <revision>", "what to release (default: the newest that changed the configuration)")
    .option("--diff", "the whole difference, as `diff` shows it")
    .addOption(outputOption())
    .addHelpText(
      "after",
      examples(
        ["switchyard rollout plan", "of what waits, by rolloutPolicies/default"],
        ["switchyard rollout plan --revision 41 --diff", "of going back to revision 41, with every field"],
      ),
    )
    .action(async (options: PlanOptions) => plan(command, context, options));
}

async function plan(command: Command, context: CliContext, options: PlanOptions): Promise<void> {
  const request = { targetRevision: targetRevision(options.revision), policy: policyName(options.policy) };
  const text = await withClient(command, context, async (client) => {
    const planned = await client.unary<PlanRolloutResponse>((...tail) => client.rollout.planRollout(request, ...tail));
    if (options.output !== "text") {
      const json = messageJson("switchyard.rollout.v1.PlanRolloutResponse", PlanRolloutResponse, planned);
      return documentText(json, options.output);
    }
    const diff = options.diff === true ? await diffText(client, context, planned) : undefined;
    return rolloutPlanText(context, planned, await commitsOf(client, planned), diff);
  });
  await print(context, text);
}

/** Who made what would be released, newest first. */
async function commitsOf(client: AdminClient, { revisions }: PlanRolloutResponse): Promise<CommitInfo[]> {
  const shown = [...revisions].sort((left, right) => (left < right ? 1 : -1)).slice(0, commitsShownMax);
  if (shown.length === 0) return [];
  const known = new Map((await newestCommits(client, commitsListed)).map((commit) => [commit.revision, commit]));
  const commits: CommitInfo[] = [];
  for (const revision of shown) commits.push(known.get(revision) ?? (await commitInfo(client, revision)));
  return commits;
}

async function commitInfo(client: AdminClient, revision: bigint): Promise<CommitInfo> {
  const { commit, hash } = await getCommit(client, revision);
  return { ...commit, hash, eventCount: commit.events.length, releases: [] };
}

async function diffText(client: AdminClient, context: CliContext, planned: PlanRolloutResponse): Promise<string> {
  const before = await configurationAt(client, planned.baseRevision);
  const after = await configurationAt(client, planned.targetRevision);
  const changes = planned.plan?.changes ?? [];
  return changes
    .map(({ name }) => resourceDiff(context, before.resources.get(name), after.resources.get(name)))
    .join("");
}
