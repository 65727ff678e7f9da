import { kindOfName } from "../../model/resource-name.ts";
import { resourceKinds } from "../../model/resource.ts";
import type { CommitInfo } from "../../proto/gen/switchyard/config/v1/commits.ts";
import type { Plan } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import type {
  PlannedWave,
  PlanRolloutResponse,
  RoutedDifferently,
  TouchedConnections,
} from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import type { CliContext } from "../context.ts";
import { paint } from "../context.ts";
import { kindText } from "../target-argument.ts";
import { durationText } from "./duration-text.ts";
import { timeText } from "./message-json.ts";
import { planLines, planSummary } from "./plan-text.ts";
import { selectorText } from "./policy-text.ts";
import { waveName } from "./rollout-words.ts";
import { safeText } from "./safe-text.ts";
import { abridged, renderFields, renderTable } from "./table.ts";

/** Of changes, and of hellos, that are listed one by one. */
const rowsMax = 40;

/** What a rollout would do, as text. Of the commits, those that are known; `diff` stands in the place of the list of changes. */
export function rolloutPlanText(
  context: CliContext,
  planned: PlanRolloutResponse,
  commits: readonly CommitInfo[],
  diff: string | undefined,
): string {
  const { targetRevision, baseRevision, plan, waves, touched, obstacle } = planned;
  const parts = [
    renderFields([
      ["release", `revision ${targetRevision}`],
      ["instead of", `revision ${baseRevision}, and ${commitsText(planned.revisions.length)} since`],
    ]),
    ...(commits.length === 0 ? [] : [commitTable(commits)]),
    changesText(context, plan ?? { changes: [], unchangedCount: 0 }, diff),
    touchedText(touched),
    waveTable(waves),
    hellosText(planned),
    ...(obstacle === "" ? [] : [`${paint(context, "red", `it can't be started now: ${safeText(obstacle)}`)}\n`]),
  ];
  return parts.join("\n");
}

function commitsText(count: number): string {
  return count === 1 ? "1 commit" : `${count} commits`;
}

function commitTable(commits: readonly CommitInfo[]): string {
  return renderTable(
    ["REVISION", "TIME", "AUTHOR", "REASON"],
    commits.map(({ revision, time, author, reason }) => [String(revision), timeText(time), author, reason]),
  );
}

function changesText(context: CliContext, plan: Plan, diff: string | undefined): string {
  const shown = { ...plan, changes: plan.changes.slice(0, rowsMax) };
  const more = plan.changes.length - shown.changes.length;
  const lines = diff ?? planLines(context, shown) + (more > 0 ? `and ${more} more: --diff shows them\n` : "");
  const kinds = resourceKinds.flatMap((kind) => {
    const changes = plan.changes.filter(({ name }) => kindOfName(name) === kind);
    return changes.length === 0
      ? []
      : [`${kindText[kind].many}: ${planSummary({ changes, unchangedCount: 0 }, "planned")}\n`];
  });
  return lines + (kinds.length === 0 ? "nothing changes\n" : kinds.join(""));
}

function touchedText(touched: readonly TouchedConnections[]): string {
  if (touched.length === 0) return "no live connection is touched\n";
  return renderTable(
    ["TOUCHED", "CONNECTIONS", "BECOME", "WHY"],
    touched.map(({ name, connections, closed, detail }) => [
      name,
      String(connections),
      closed ? "CLOSED" : "left alone",
      detail,
    ]),
  );
}

function waveTable(waves: readonly PlannedWave[]): string {
  return renderTable(
    ["WAVE", "TAKES", "COUNT", "UNREACHABLE", "BAKES", "NODES"],
    waves.map(({ title, wave, nodes, nodeCount, unreachableCount }, index) => {
      const names = nodes.map((node) => node.replace(/^nodes\//, ""));
      const shown = names.slice(0, 3);
      const more = nodeCount - shown.length;
      return [
        waveName(index, title),
        wave === undefined ? "" : selectorText(wave),
        String(nodeCount),
        unreachableCount === 0 ? "" : String(unreachableCount),
        durationText(wave?.bakeTime),
        more > 0 ? `${shown.join(",")},+${more} more` : shown.join(","),
      ];
    }),
  );
}

function hellosText({ hellos, hellosChanged, hellosSampled }: PlanRolloutResponse): string {
  if (hellosSampled === 0n) return "no recent hellos are known: nothing to say about which would go elsewhere\n";
  const said = `${hellosChanged} of ${hellosSampled} sampled hellos would go elsewhere\n`;
  if (hellos.length === 0) return said;
  const shown = hellos.slice(0, rowsMax);
  const more = hellos.length - shown.length;
  return `${said}${helloTable(shown)}${more > 0 ? `and ${more} more: -o json has them\n` : ""}`;
}

function helloTable(hellos: readonly RoutedDifferently[]): string {
  return renderTable(
    ["LISTENER", "SERVER NAME", "ALPN", "COUNT", "NOW", "THEN"],
    hellos.map(({ listener, serverName, alpnProtocols, count, before, after }) => [
      listener.replace(/^listeners\//, ""),
      serverName === "" ? "(no name)" : serverName,
      abridged(alpnProtocols),
      String(count),
      before,
      after,
    ]),
  );
}
