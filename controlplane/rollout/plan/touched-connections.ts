import type { Change, Configuration } from "../../../model/configuration.ts";
import { changedFields } from "../../../model/resource-fields.ts";
import { farmOf } from "../../../model/resource-name.ts";
import type { Server } from "../../../model/resource.ts";
import type { TouchedConnections } from "./rollout-plan.ts";

type Farms = Pick<Configuration, "farms">;

/**
 * What becomes of the live connections to servers that change or go, where there are some, and of those through listeners
 * that go. In the order of the changes.
 */
export function touchedConnections(
  changes: readonly Change[],
  base: Farms,
  target: Farms,
  connections: ReadonlyMap<string, number>,
): readonly TouchedConnections[] {
  return changes.flatMap(({ before, after }): TouchedConnections[] => {
    if (before === null) return [];
    const touched = { name: before.name, connections: connections.get(before.name) ?? 0 };
    if (before.kind === "listener" && after === null) {
      const detail = "it takes no new connections; live ones are left alone, and counted at their servers";
      return [{ ...touched, name: before.name, closed: false, detail }];
    }
    if (before.kind !== "server" || touched.connections === 0) return [];
    const name = before.name;
    if (after === null) return [{ ...touched, name, ...afterRemoval(before, base, target) }];
    const fields = changedFields(before, after).join(", ");
    return [
      { ...touched, name, closed: false, detail: `${fields} changes for new connections; live ones are left alone` },
    ];
  });
}

function afterRemoval({ name }: Server, base: Farms, target: Farms): Pick<TouchedConnections, "closed" | "detail"> {
  const farm = target.farms.get(farmOf(name)) ?? base.farms.get(farmOf(name));
  if (farm?.onServerRemoved === "close")
    return { closed: true, detail: `it is removed, and ${farm.name} closes connections to removed servers` };
  return { closed: false, detail: "it is removed; live connections are left alone until they end" };
}
