import type { Server } from "../../model/resource.ts";
import { serverAvailability, type ServerStanding } from "../../model/server-availability.ts";
import type { Member } from "./balance/member.ts";
import { Moment } from "./balance/moment.ts";
import type { Pool } from "./balance/pool.ts";
import type { FarmRouting } from "./routing.ts";
import type { ServerConditions } from "./server-conditions.ts";
import { decideTier, levelParts, type Tier } from "./tiers.ts";

/** What new connections of a farm find, those aside that resume a session. */
export interface FarmStandings {
  readonly servers: readonly StandingServer[];
  /** Too few are healthy: health is not looked at. */
  readonly panic: boolean;
  /** There are servers that could be chosen, and none has room. */
  readonly full: boolean;
}

export interface StandingServer {
  readonly server: Server;
  readonly standing: ServerStanding;
  /** Part of the new connections: 0 where it is not chosen, and 1 for all. What least connections come to in the long run. */
  readonly share: number;
}

/** By the same tiers, levels and weights as `chooseServer` chooses. `region`: the node's own. */
export function serverStandings(
  { farm, servers, balancing }: FarmRouting,
  region: string,
  conditions: ServerConditions,
): FarmStandings {
  const anybody = { tried: new Set<never>(), preferred: [], source: null, nameBytes: new Uint8Array(0) };
  const moment = new Moment(farm, { ...anybody, region, random: () => 0 }, conditions);
  const { tiers, members } = balancing.arranged(farm, servers, region);
  const tier = decideTier(tiers, farm.panicThreshold, moment);
  const { panic } = moment;
  const shares = tier === undefined ? new Map<Member, number>() : sharesOf(tier, moment);
  // What is said of a server is how it is, in panic too.
  moment.panic = false;
  const standing = (member: Member): StandingServer => {
    const share = shares.get(member) ?? 0;
    return {
      server: member.server,
      standing: share > 0 ? ownStanding(member, moment) : passedOver(member, moment, tier),
      share,
    };
  };
  const all = [...servers.keys()].map((name) => members.get(name)).filter((member) => member !== undefined);
  return { servers: all.map(standing), panic, full: tier !== undefined && shares.size === 0 };
}

/** How a server is in itself. */
function ownStanding(member: Member, moment: Moment): ServerStanding {
  const availability = serverAvailability(member.server, !moment.isHealthy(member));
  return availability === "failing" && !moment.isReachable(member) ? "unresolved" : availability;
}

/** Why nothing new comes to a server; `ready` where another comes before it only for the farm's way to balance. */
function passedOver(member: Member, moment: Moment, tier: Tier | undefined): ServerStanding {
  const own = ownStanding(member, moment);
  if (own !== "ready") return own;
  const level = tier?.levels.find(({ members }) => members.includes(member));
  // Were a primary healthy, its tier would be chosen from.
  if (tier === undefined || level === undefined) return "backup";
  if (!moment.hasRoom(member)) return "full";
  return partsOf(tier, moment)[tier.levels.indexOf(level)] === 0 ? "other_region" : "ready";
}

function partsOf(tier: Tier, moment: Moment): readonly number[] {
  return levelParts(tier, moment.farm.locality?.spillBelowPercent ?? 100, moment);
}

function sharesOf(tier: Tier, moment: Moment): Map<Member, number> {
  const shares = new Map<Member, number>();
  const { levels } = tier;
  const parts = partsOf(tier, moment);
  const withRoom = levels.find((level) => moment.weigh(level) > 0);
  for (const [index, level] of levels.entries()) {
    const part = parts[index] as number;
    if (part === 0) continue;
    const taking = moment.weigh(level) > 0 ? level : withRoom;
    if (taking === undefined) continue;
    for (const [member, share] of sharesIn(taking, moment))
      shares.set(member, (shares.get(member) ?? 0) + part * share);
  }
  return shares;
}

function sharesIn(pool: Pool, moment: Moment): readonly (readonly [Member, number])[] {
  const total = moment.weigh(pool);
  const taking = pool.members
    .map((member, index) => [member, (pool.scratch[index] as number) / total] as const)
    .filter(([, share]) => share > 0);
  const [first] = taking;
  return moment.farm.balance === "first" && first !== undefined ? [[first[0], 1]] : taking;
}
