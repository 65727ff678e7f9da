import type { Balancer } from "./balance/balancer.ts";
import { pairUnit } from "./balance/key-hash.ts";
import type { Member } from "./balance/member.ts";
import { Moment } from "./balance/moment.ts";
import { Pool } from "./balance/pool.ts";
import { SourceHash } from "./balance/source-hash.ts";
import type { ChoiceRequest, ServerChoice } from "./choice-request.ts";
import type { Arrangement } from "./farm-balancing.ts";
import type { FarmRouting } from "./routing.ts";
import type { ServerConditions } from "./server-conditions.ts";
import { decideTier, levelParts, type Tier, type Tiers } from "./tiers.ts";

const sourceHash = new SourceHash();

/** Apart from all that servers are hashed by: which level a client is spilled to says nothing of its server there. */
const levelHashes = [0x7feb_352d, 0x846c_a68b] as const;

/**
 * The server of a farm for one connection: one that can resume what the client offers, else one by its address where the
 * farm falls back to that, else the balancer's.
 *
 * Health, room and shares are asked anew each time, for they change without a word, and of as few servers as the way of
 * balancing needs.
 */
export function chooseServer(
  { farm, servers, balancing }: FarmRouting,
  request: ChoiceRequest,
  conditions: ServerConditions,
): ServerChoice {
  const arrangement = balancing.arranged(farm, servers, request.region);
  const moment = new Moment(farm, request, conditions);
  const resuming = request.preferred.length === 0 ? undefined : chooseResuming(arrangement, moment);
  if (resuming !== undefined) return { server: resuming.server, by: "affinity" };
  const bySource = farm.affinity.fallback === "source" && request.source !== null;
  const balancer = bySource ? sourceHash : arrangement.balancer;
  const member = chooseAtOnce(arrangement.tiers, balancer, moment);
  if (member !== undefined) return { server: member.server, by: bySource ? "source" : "balance" };
  const tier = decideTier(arrangement.tiers, farm.panicThreshold, moment);
  if (tier === undefined) return { none: "no_server" };
  const chosen = chooseInTier(tier, balancer, moment);
  if (chosen === undefined) return { none: "full" };
  return { server: chosen.server, by: moment.panic ? "panic" : bySource ? "source" : "balance" };
}

/**
 * The usual case: neither regions nor a share of healthy servers matter, and a primary takes the connection. Then not all
 * have to be asked how they are.
 */
function chooseAtOnce({ primaries }: Tiers, balancer: Balancer, moment: Moment): Member | undefined {
  const [pool, more] = primaries.levels;
  if (pool === undefined || more !== undefined || moment.farm.panicThreshold > 1) return undefined;
  return balancer.choose(pool, moment);
}

/**
 * The session is there: neither a backup nor a weight of 0 is in its way, nor DRAIN, unless the farm says so. Where several
 * servers can resume it the balancer decides among those that have a weight.
 */
function chooseResuming({ balancer, members }: Arrangement, moment: Moment): Member | undefined {
  const { affinity } = moment.farm;
  const able: Member[] = [];
  for (const name of moment.request.preferred) {
    const member = members.get(name);
    if (member === undefined || member.server.state === "maintenance") continue;
    if (member.server.state === "drain" && affinity.drain === "leave") continue;
    if (moment.takes(member)) able.push(member);
  }
  if (able.length < 2) return able[0];
  const weighted = able.filter(({ server }) => server.weight > 0);
  if (weighted.length > 0) return balancer.choose(new Pool(weighted), moment);
  return able.reduce((best, each) => (moment.connections(each) < moment.connections(best) ? each : best));
}

/** In the level that is drawn; where it has no room, in the nearest that has. */
function chooseInTier(tier: Tier, balancer: Balancer, moment: Moment): Member | undefined {
  const { levels } = tier;
  const drawn = levels.length === 1 ? levels[0] : drawLevel(tier, balancer, moment);
  const member = drawn && balancer.choose(drawn, moment);
  if (member !== undefined) return member;
  for (const level of levels) {
    const other = level === drawn ? undefined : balancer.choose(level, moment);
    if (other !== undefined) return other;
  }
  return undefined;
}

function drawLevel(tier: Tier, balancer: Balancer, moment: Moment): Pool | undefined {
  const parts = levelParts(tier, moment.farm.locality?.spillBelowPercent ?? 100, moment);
  // All goes to one level, as a rule the nearest.
  const whole = parts.indexOf(1);
  if (whole >= 0) return tier.levels[whole];
  // A client that a balancer keeps in its place stays in its level, too.
  const key = balancer.key(moment);
  let left = key === undefined ? moment.random() : pairUnit(key, ...levelHashes);
  return tier.levels.find((_level, index) => {
    left -= parts[index] as number;
    return left < 0;
  });
}
