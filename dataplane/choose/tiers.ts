import type { LocalityPolicy } from "../../model/farm-policy.ts";
import type { Farm, Server } from "../../model/resource.ts";
import type { Member } from "./balance/member.ts";
import type { Moment } from "./balance/moment.ts";
import { Pool } from "./balance/pool.ts";

/** A farm's primaries, or its backups: those that are READY and have a weight. */
export interface Tier {
  /** By locality, nearest first; one where regions are not looked at. None without servers. */
  readonly levels: readonly Pool[];
}

export interface Tiers {
  readonly primaries: Tier;
  readonly backups: Tier;
}

/** `members` in the order of their names. */
export function tiersOf(farm: Farm, members: readonly Member[], region: string): Tiers {
  const primaries: Member[][] = [];
  const backups: Member[][] = [];
  for (const member of members) {
    const { server } = member;
    if (server.state !== "ready" || server.weight === 0) continue;
    const level = levelOf(server, farm.locality, region);
    const levels = server.backup ? backups : primaries;
    (levels[level] ??= []).push(member);
  }
  // Places are counted with the levels that are empty: one that gets its first server does not move the others.
  const levelCount = 2 + (farm.locality?.regions.length ?? 0);
  const tier = (levels: readonly (readonly Member[] | undefined)[], firstPlace: number): Tier => ({
    levels: Array.from(levels, (some, level) => some && new Pool(some, firstPlace + level)).filter(
      (pool) => pool !== undefined,
    ),
  });
  return { primaries: tier(primaries, 0), backups: tier(backups, levelCount) };
}

/** The node's own region, those of the farm in its order, all others. */
function levelOf({ region }: Server, locality: LocalityPolicy | null, own: string): number {
  if (locality === null || (own !== "" && region === own)) return 0;
  const index = locality.regions.indexOf(region);
  return index < 0 ? locality.regions.length + 1 : index + 1;
}

/**
 * The tier that takes a connection; undefined where there is none left. Says in `moment` whether it is panic.
 *
 * A tier has something while one of its servers is usable, be it with room or not: backups stand in for servers that fail,
 * not for those that are full. With a threshold above 0 there is a last resort where nothing is usable, be it because
 * nothing is healthy or because what is was tried: what a node believes of servers may be out of date, and there is nothing
 * to lose.
 */
export function decideTier({ primaries, backups }: Tiers, threshold: number, moment: Moment): Tier | undefined {
  const anyUsable = ({ levels }: Tier): boolean =>
    levels.some(({ members }) => members.some((member) => moment.isUsable(member)));
  const firstUsable = (): Tier | undefined => [primaries, backups].find(anyUsable);
  const tier = firstUsable();
  if (threshold === 0) return tier;
  moment.panic = tier === undefined || isPanic([primaries, backups], threshold, moment);
  return tier ?? firstUsable();
}

/** Whether fewer of the servers than the threshold are healthy, in percent; those without an address do not count. */
function isPanic(tiers: readonly Tier[], threshold: number, moment: Moment): boolean {
  // 1: only where none is, which its caller has seen.
  if (threshold <= 1) return false;
  let healthy = 0;
  let count = 0;
  for (const { levels } of tiers)
    for (const { members } of levels)
      for (const member of members) {
        if (!moment.isReachable(member)) continue;
        count += 1;
        healthy += Number(moment.isHealthy(member));
      }
  return healthy * 100 < threshold * count;
}

/**
 * What each level takes of a tier's connections; the sum is 1, unless no server is healthy. A level of which at least
 * `spillBelowPercent` are healthy takes all that comes to it, others so much in proportion; what then is left over when
 * every level was asked is shared out in the same proportions.
 */
export function levelParts({ levels }: Tier, spillBelowPercent: number, moment: Moment): number[] {
  let coming = 1;
  const parts = levels.map(({ members }) => {
    if (coming === 0) return 0;
    let healthy = 0;
    for (const member of members) healthy += Number(moment.isHealthy(member));
    const part = coming * Math.min(1, (healthy * 100) / (members.length * spillBelowPercent));
    coming -= part;
    return part;
  });
  return coming === 0 || coming === 1 ? parts : parts.map((part) => part / (1 - coming));
}
