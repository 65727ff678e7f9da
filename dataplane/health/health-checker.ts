import type { Change } from "../../model/configuration.ts";
import { type FarmName, farmOf, type ServerResourceName } from "../../model/resource-name.ts";
import type { Farm, Server } from "../../model/resource.ts";
import type { ServerAddresses } from "../resolve/server-addresses.ts";
import { type CheckResult, checkFailed } from "./check-result.ts";
import { CheckSchedule } from "./check-schedule.ts";
import { type CheckedFarm, checkedFarm, isSameQuestion } from "./checked-farm.ts";
import { CheckedServer } from "./checked-server.ts";
import type { Prober } from "./probes/prober.ts";
import type { ServerHealthBoard } from "./server-health.ts";

export interface HealthCheckerParts {
  readonly board: ServerHealthBoard;
  readonly addresses: ServerAddresses;
  /** Heads of the tickets that each of some handshakes with a server brought; handshakes without a ticket are left out. */
  readonly onTickets: (server: ServerResourceName, handshakes: readonly (readonly Uint8Array[])[]) => void;
  /** Milliseconds of the monotonic clock that the board is told the time of. */
  readonly now: () => number;
  /** From 0 to below 1, as Math.random. */
  readonly random: () => number;
  readonly inFlightMax?: number;
  /** Makes the checks; the checker closes it. */
  readonly prober: Prober;
}

/** Checks that run at once on a node; each holds a descriptor. */
const inFlightDefault = 256;

/** Checks that are asked for in one turn of the loop; the rest wait for the next, and decisions come in between. */
const startsPerTurn = 4;

/**
 * Checks the servers of all farms that have a health check, and tells the board. Servers in MAINTENANCE are not checked. One
 * timer wakes it for whatever is due first; a check that runs has a time limit of its own.
 */
export class HealthChecker {
  readonly #parts: HealthCheckerParts;
  readonly #schedule: CheckSchedule;
  readonly #farms = new Map<FarmName, CheckedFarm>();
  /** All servers of each farm, whether or not it has a check: it may get one. */
  readonly #servers = new Map<FarmName, Map<ServerResourceName, Server>>();
  readonly #checked = new Map<ServerResourceName, CheckedServer>();
  #timer: NodeJS.Timeout | undefined;
  #timerMs = Number.POSITIVE_INFINITY;
  #immediate: NodeJS.Immediate | undefined;
  #isClosed = false;

  constructor(parts: HealthCheckerParts) {
    this.#parts = parts;
    this.#schedule = new CheckSchedule({ inFlightMax: parts.inFlightMax ?? inFlightDefault, random: parts.random });
  }

  /** Servers that are checked. */
  get size(): number {
    return this.#schedule.size;
  }

  /**
   * Touches only what changed: other intervals plan anew and cut nothing off; another address, probe or header begins anew.
   * The board is to be told of the changes first.
   */
  apply(changes: readonly Change[]): void {
    if (this.#isClosed) return;
    for (const { before, after } of changes) {
      if (after?.kind === "farm") this.#farmPut(after);
      else if (after?.kind === "server") this.#serverPut(after);
      else if (before?.kind === "farm") this.#farmGone(before.name);
      else if (before?.kind === "server") this.#serverGone(before.name);
    }
    this.#arm();
  }

  /** Asks for several handshakes with the server, as soon as may be: something of its tickets is not known. */
  moreTickets(server: ServerResourceName): void {
    const checked = this.#checked.get(server);
    if (checked === undefined || this.#isClosed || !checked.farm.followsTickets) return;
    checked.learnTickets();
    this.#schedule.hasten(server, this.#parts.now());
    this.#arm();
  }

  /** Cuts off what runs. Resolves when nothing of it is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    for (const name of this.#checked.keys()) this.#stop(name);
    await this.#parts.prober.close();
  }

  #farmPut(farm: Farm): void {
    const before = this.#farms.get(farm.name);
    const checked = checkedFarm(farm, before, this.#parts.prober);
    if (checked === null) this.#farms.delete(farm.name);
    else this.#farms.set(farm.name, checked);
    for (const server of this.#servers.get(farm.name)?.values() ?? []) this.#check(server);
    if (before?.probe !== checked?.probe) before?.probe.forget();
  }

  #farmGone(name: FarmName): void {
    const before = this.#farms.get(name);
    this.#farms.delete(name);
    for (const server of this.#servers.get(name)?.keys() ?? []) this.#stop(server);
    before?.probe.forget();
    this.#servers.delete(name);
  }

  #serverPut(server: Server): void {
    const farm = farmOf(server.name);
    const servers = this.#servers.get(farm);
    if (servers === undefined) this.#servers.set(farm, new Map([[server.name, server]]));
    else servers.set(server.name, server);
    this.#check(server);
  }

  #serverGone(name: ServerResourceName): void {
    const farm = farmOf(name);
    const servers = this.#servers.get(farm);
    servers?.delete(name);
    if (servers?.size === 0) this.#servers.delete(farm);
    this.#stop(name);
  }

  /** Begins to check the server, or goes on, or leaves off, as it and its farm now are. */
  #check(server: Server): void {
    const { name } = server;
    const farm = this.#farms.get(farmOf(name));
    const known = this.#checked.get(name);
    if (farm === undefined || server.state === "maintenance") {
      this.#stop(name);
      return;
    }
    const goesOn =
      known !== undefined &&
      known.server.address === server.address &&
      known.server.checkAddress === server.checkAddress &&
      isSameQuestion(known.farm, farm);
    if (!goesOn) {
      this.#stop(name);
      this.#checked.set(name, new CheckedServer(server, farm));
      this.#schedule.put(name, farm.check, this.#parts.now());
      return;
    }
    known.server = server;
    known.farm = farm;
    this.#schedule.put(name, farm.check, this.#parts.now());
  }

  #stop(name: ServerResourceName): void {
    const checked = this.#checked.get(name);
    if (checked === undefined) return;
    this.#checked.delete(name);
    this.#schedule.remove(name);
    checked.running?.abort();
  }

  /** Sets the one timer to what is due first. */
  #arm(): void {
    const { nextMs } = this.#schedule;
    if (this.#isClosed || this.#immediate !== undefined || nextMs === this.#timerMs) return;
    clearTimeout(this.#timer);
    this.#timerMs = nextMs;
    if (nextMs === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#turn(), Math.max(1, Math.ceil(nextMs - this.#parts.now())));
  }

  /** Begins what is due, a few at a time. */
  #turn(): void {
    this.#immediate = undefined;
    this.#timerMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#parts.now();
    for (let started = 0; started < startsPerTurn; started += 1) {
      const name = this.#schedule.take(nowMs);
      const checked = name === undefined ? undefined : this.#checked.get(name);
      if (checked === undefined) break;
      checked.begin();
      this.#probe(checked, true);
    }
    if (this.#schedule.nextMs <= nowMs) this.#immediate = setImmediate(() => this.#turn());
    else this.#arm();
  }

  /** Only the first handshake of a check decides; those that follow are for their tickets. */
  #probe(checked: CheckedServer, isFirst: boolean): void {
    const { addresses } = this.#parts;
    const { farm } = checked;
    const address = checked.address(addresses);
    if (address === undefined) {
      // That the server's own name has no address is told the board by whoever resolves it.
      if (isFirst && checked.server.checkAddress !== null && checked.isUnresolvedAgain())
        this.#tell(checked, checkFailed("unresolved", "the name where it is checked has no address"));
      this.#done(checked);
      return;
    }
    const { probe, header, check } = farm;
    const { timeoutMs } = check;
    checked.running = probe.start(
      { address, timeoutMs, header, wantsTickets: checked.wantsTickets },
      {
        result: (result) => {
          if (!isFirst) return;
          if (checked.isCheckedWhereItServes) {
            if (result.passed) addresses.succeeded(checked.server, address);
            else if (result.reason !== "local_limit") addresses.failed(checked.server, address);
          }
          this.#tell(checked, result);
        },
        ended: (ticketHeads) => this.#ended(checked, ticketHeads),
      },
    );
  }

  #tell(checked: CheckedServer, result: CheckResult): void {
    // Whoever comes back may have come back with other keys. A check that says nothing of the server is no reason for more.
    if (!result.passed && result.reason !== "local_limit") checked.learnTickets();
    checked.isChanging = this.#parts.board.checked(checked.server.name, result, this.#parts.now());
  }

  #ended(checked: CheckedServer, ticketHeads: readonly Uint8Array[]): void {
    checked.running = null;
    // Cut off, and perhaps begun anew by now.
    if (this.#checked.get(checked.server.name) !== checked) return;
    if (checked.ended(ticketHeads)) this.#probe(checked, false);
    else this.#done(checked);
  }

  #done(checked: CheckedServer): void {
    const { name } = checked.server;
    if (checked.handshakes.length > 0) this.#parts.onTickets(name, checked.handshakes);
    this.#schedule.done(name, checked.isChanging, this.#parts.now());
    this.#arm();
  }
}
