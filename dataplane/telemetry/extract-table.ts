import type { Configuration } from "../../model/configuration.ts";
import { listenerOf } from "../../model/resource-name.ts";
import type { Steps } from "../../model/steps.ts";
import type { TableExtract, TableExtractEntry } from "./node-session.ts";

/** Routes that are looked at between two decisions: about a millisecond. */
const routesPerStep = 500;

/**
 * The names that lead somewhere, in the order in which their routes were made. In steps, between which commits may come:
 * an entry is true of the moment at which it was read, and the position is that of the end.
 */
export function* extractTable(
  serving: () => Configuration,
  listener: string,
  prefix: string,
  entriesMax: number,
): Steps<TableExtract> {
  const entries: TableExtractEntry[] = [];
  let seen = 0;
  for (const { name, match } of serving().routes.values()) {
    seen += 1;
    if (seen % routesPerStep === 0) yield;
    const on = listenerOf(name);
    if (listener !== "" && on !== listener) continue;
    const names: readonly string[] = match.noServerName ? [...match.serverNames, ""] : match.serverNames;
    for (const serverName of names) {
      if (!serverName.startsWith(prefix)) continue;
      if (entries.length === entriesMax) return { position: serving().position, entries, truncated: true };
      entries.push({ listener: on, serverName, route: name });
    }
  }
  return { position: serving().position, entries, truncated: false };
}
