import { seededRandom } from "../support/seeded-random.ts";
import { type Edge, ReturningClient, type Visit } from "./returning-client.ts";
import { serverNameOf, type TlsFarm } from "./tls-farm.ts";
import type { ConnectionOptions } from "node:tls";

/** As many as are under way at once. */
const visitsAtOnce = 8;

export interface VisitPlan {
  readonly farm: TlsFarm;
  /** Each client goes to the next one with each visit. */
  readonly edges: readonly Edge[];
  readonly clients?: number;
  readonly visits?: number;
  readonly tls?: ConnectionOptions;
  /** Called before each round of visits but the first; 1 before the second. */
  readonly before?: (round: number) => Promise<void> | void;
}

/** How the visits with a session to offer went. */
export interface Resumption {
  readonly offered: number;
  readonly resumed: number;
  /** Visits of which client and server tell different things. */
  readonly disputed: number;
}

/**
 * All clients visit once, in an order by chance, and then again. The order is mixed because round robin over an unchanged
 * one would lead each client to the same server every time, or never.
 */
export async function visitInRounds(plan: VisitPlan): Promise<Resumption> {
  const { farm, edges, clients = 50, visits = 5, tls, before } = plan;
  const random = seededRandom(1);
  const all = Array.from({ length: clients }, () => new ReturningClient(serverNameOf(farm), farm.mode, tls));
  let [offered, resumed, disputed] = [0, 0, 0];
  for (let round = 0; round < visits; round += 1) {
    if (round > 0) await before?.(round);
    const order = shuffled([...all.keys()], random);
    await eachOf(order, async (client) => {
      const visit = await (all[client] as ReturningClient).visit(edges[(client + round) % edges.length] as Edge);
      if (visit.offered) offered += 1;
      if (visit.offered && visit.resumed) resumed += 1;
      if (isDisputed(farm, visit)) disputed += 1;
    });
  }
  return { offered, resumed, disputed };
}

/** Percent of the visits with a session to offer. */
export function resumedPercent({ offered, resumed }: Resumption): number {
  return offered === 0 ? 0 : (100 * resumed) / offered;
}

function isDisputed(farm: TlsFarm, { answer, resumed }: Visit): boolean {
  const server = farm.resumedBy(answer);
  return server !== null && server !== resumed;
}

async function eachOf<Item>(items: readonly Item[], visit: (item: Item) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await visit(item);
  };
  await Promise.all(Array.from({ length: visitsAtOnce }, worker));
}

function shuffled<Item>(items: Item[], random: () => number): readonly Item[] {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [items[last], items[other]] = [items[other] as Item, items[last] as Item];
  }
  return items;
}
