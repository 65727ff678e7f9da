import type { SecureContextOptions } from "node:tls";
import { seededRandom } from "../support/seeded-random.ts";
import { clientContext, type Edge, ReturningClient, type Visit } from "./returning-client.ts";
import { serverNameOf, type TlsFarm } from "./tls-farm.ts";

/** As many as are under way at once. */
const visitsAtOnce = 8;

/** What is asked for: 50 clients, five visits each. */
const clientsPerFarm = 50;
const roundsOfVisits = 5;

export interface VisitPlan {
  readonly farms: readonly TlsFarm[];
  /** Where clients go in a round, from 0: each one to the next of them with each visit. */
  readonly edges: (round: number) => readonly Edge[];
  readonly clients?: number;
  readonly rounds?: number;
  readonly tls?: SecureContextOptions;
  /** Called before each round. */
  readonly before?: (round: number) => Promise<void> | void;
}

/** How the visits to a farm went in which the client had a session to offer. */
export interface Resumption {
  readonly farm: TlsFarm;
  readonly offered: number;
  readonly resumed: number;
  /** Visits of which client and server tell different things. */
  readonly disputed: number;
  /** Offered and not resumed, by round. */
  readonly lostInRound: readonly number[];
}

interface Returning {
  readonly client: ReturningClient;
  readonly number: number;
  readonly farm: TlsFarm;
}

/**
 * All clients of all farms visit once, in an order by chance, and then again. The order is mixed because round robin over an
 * unchanged one would lead each client to the same server every time, or never; it is mixed by halves, so that nobody comes
 * back at once: what one node learnt may take 100 ms to the other.
 */
export async function visitInRounds(plan: VisitPlan): Promise<readonly Resumption[]> {
  const { farms, edges, clients = clientsPerFarm, rounds = roundsOfVisits, tls, before } = plan;
  const random = seededRandom(1);
  const all: readonly Returning[] = farms.flatMap((farm) => {
    const context = clientContext(farm.mode, tls);
    return Array.from({ length: clients }, (_, number) => {
      return { client: new ReturningClient(serverNameOf(farm), farm.mode, context), number, farm };
    });
  });
  // By pairs: each half goes to both edges.
  const early = all.filter(({ number }) => number % 4 < 2);
  const late = all.filter(({ number }) => number % 4 >= 2);
  const tallies = new Map(farms.map((farm) => [farm, new Tally(farm, rounds)]));
  for (let round = 0; round < rounds; round += 1) {
    await before?.(round);
    const ways = edges(round);
    await eachOf([...shuffled(early, random), ...shuffled(late, random)], async ({ client, number, farm }) => {
      const visit = await client.visit(ways[(number + round) % ways.length] as Edge);
      tallies.get(farm)?.add(round, visit);
    });
  }
  return [...tallies.values()];
}

/** Percent of the visits with a session to offer. */
export function resumedPercent({ offered, resumed }: Resumption): number {
  return offered === 0 ? 0 : (100 * resumed) / offered;
}

class Tally implements Resumption {
  readonly farm: TlsFarm;
  readonly lostInRound: number[];
  offered = 0;
  resumed = 0;
  disputed = 0;

  constructor(farm: TlsFarm, rounds: number) {
    this.farm = farm;
    this.lostInRound = Array.from({ length: rounds }, () => 0);
  }

  add(round: number, { offered, resumed, answer }: Visit): void {
    if (offered) this.offered += 1;
    if (offered && resumed) this.resumed += 1;
    if (offered && !resumed) this.lostInRound[round] = (this.lostInRound[round] ?? 0) + 1;
    const byServer = this.farm.resumedBy(answer);
    if (byServer !== null && byServer !== resumed) this.disputed += 1;
  }
}

async function eachOf<Item>(items: readonly Item[], visit: (item: Item) => Promise<void>): Promise<void> {
  const waiting = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = waiting.next(); next.done !== true; next = waiting.next()) await visit(next.value);
  };
  await Promise.all(Array.from({ length: visitsAtOnce }, worker));
}

function shuffled<Item>(items: readonly Item[], random: () => number): readonly Item[] {
  const mixed = [...items];
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other] as Item, mixed[last] as Item];
  }
  return mixed;
}
