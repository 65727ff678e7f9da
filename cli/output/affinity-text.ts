import type { FarmAffinityFinding, FarmStatus } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { safeText } from "./safe-text.ts";
import { abridged, renderTable } from "./table.ts";

const headers = ["FARM", "CONNECTIONS", "OFFERED", "ACCEPTED", "REFUSED", "FOUND"];

/** A row for each farm: the TLS sessions that clients wanted to resume, what became of them, and what nodes found. */
export function affinityTable(farms: readonly FarmStatus[]): string {
  return renderTable(
    headers,
    farms.map(({ farm, traffic, affinity }) => {
      const { offered, accepted, refused } = resumptionsOf(traffic?.resumptions);
      return [
        farm,
        String(traffic?.connections ?? 0n),
        String(offered),
        shareText(accepted, accepted + refused),
        shareText(refused, accepted + refused),
        affinity.map((each) => each.affinity?.finding ?? "").join(","),
      ];
    }),
  );
}

/** Each finding of a farm in a sentence, with who found it, and below it what would help. */
export function findingsText({ farm, affinity }: FarmStatus): string {
  return affinity.map((each) => findingText(farm, each)).join("");
}

function findingText(farm: string, { affinity, nodes }: FarmAffinityFinding): string {
  if (affinity === undefined || affinity.sentence === "") return "";
  const seenBy = nodes.map((node) => node.replace(/^nodes\//, ""));
  const lines = affinity.advice.split("\n").filter((line) => line.trim() !== "");
  return [`${safeText(farm)}: ${safeText(affinity.sentence)} (${safeText(abridged(seenBy))})`, ...lines.map(adviceLine)]
    .map((line) => `${line}\n`)
    .join("");
}

function adviceLine(line: string): string {
  return `  ${safeText(line)}`;
}

/** Whether something would help the farm. */
export function hasAdvice({ affinity }: FarmStatus): boolean {
  return affinity.some((each) => (each.affinity?.advice ?? "") !== "");
}

function resumptionsOf(
  counts: Readonly<Record<string, bigint>> | undefined,
): Record<"offered" | "accepted" | "refused", bigint> {
  const count = (word: string): bigint => counts?.[word] ?? 0n;
  return { offered: count("offered"), accepted: count("accepted"), refused: count("refused") };
}

/** `990 (99.0%)`, of those that a server answered: an offer whose client went away says nothing of it. */
function shareText(count: bigint, of: bigint): string {
  if (of === 0n) return "";
  return `${count} (${((Number(count) / Number(of)) * 100).toFixed(1)}%)`;
}
