import type { Change } from "../../model/configuration.ts";
import type { HealthReason } from "../../model/health-reason.ts";
import type { ConnectFailure } from "../../model/reason.ts";
import { type FarmName, farmOf, type ServerResourceName } from "../../model/resource-name.ts";
import type { Farm, Resource, Server } from "../../model/resource.ts";
import type { CheckResult } from "./check-result.ts";
import { CheckVerdict } from "./check-verdict.ts";
import { connectReason } from "./connect-reason.ts";
import { FarmRecord } from "./farm-record.ts";
import { ServerRecord, type ServerHealthState } from "./server-record.ts";

/** A server as a report has it. Times are of the caller's clock, the certificate's in milliseconds since 1970. */
export interface ServerHealthSeen {
  readonly server: ServerResourceName;
  readonly state: ServerHealthState;
  /** Why it is not up; of one that is back, why it was not. */
  readonly reason: HealthReason | null;
  readonly detail: string;
  readonly sinceMs: number;
  readonly certificateExpiryMs: number | null;
  readonly lastCheckMs: number | null;
}

/** A server's state became another. */
export interface HealthTransition {
  readonly server: ServerResourceName;
  readonly from: ServerHealthState;
  readonly to: ServerHealthState;
  /** Why; where it is well again, what is over. Null only where the operator's own change ended nothing but a pause. */
  readonly reason: HealthReason | null;
  readonly detail: string;
  readonly atMs: number;
}

export type HealthListener = (transition: HealthTransition) => void;

/**
 * What this node makes of all servers: checks, connections, slow start and names without an address in one place. Time comes
 * in with each call, in milliseconds of one clock.
 *
 * {@link isHealthy} and {@link share} are asked for every server of a farm at every connection: they look one map up, which
 * holds only servers that are not plainly up.
 */
export class ServerHealthBoard {
  readonly #farms = new Map<FarmName, FarmRecord>();
  /** Servers that something is known of. */
  readonly #records = new Map<ServerResourceName, ServerRecord>();
  /** Those of them whose state is not up. */
  readonly #unwell = new Map<ServerResourceName, ServerRecord>();
  readonly #listeners: HealthListener[] = [];

  /** Hears of every transition, while the call that made it runs: it must not call the board. */
  onTransition(listener: HealthListener): void {
    this.#listeners.push(listener);
  }

  /** A server that was deleted, is elsewhere now or is checked elsewhere begins anew. */
  apply(changes: readonly Change[], nowMs: number): void {
    for (const { before, after } of changes) {
      const resource = after ?? before;
      if (resource?.kind === "farm") this.#farmChanged(resource.name, asFarm(after), nowMs);
      if (resource?.kind === "server") this.#serverChanged(asServer(before), asServer(after), nowMs);
    }
  }

  /** Neither unresolved, nor down, nor to be passed over now. */
  isHealthy(server: ServerResourceName, nowMs: number): boolean {
    const record = this.#unwell.get(server);
    if (record === undefined) return true;
    switch (record.told) {
      case "unresolved":
      case "down":
        return false;
      case "ejected":
        if (record.connections.hasWithstood(nowMs)) this.#released(record, record.connections.release(), nowMs);
        return !record.connections.isPassedOver(nowMs);
      case "slow_start":
      case "up":
        return true;
    }
  }

  /** The part of its weight that it takes, above 0 to 1: less than 1 while it starts slowly. */
  share(server: ServerResourceName, nowMs: number): number {
    const record = this.#unwell.get(server);
    if (record?.told !== "slow_start") return 1;
    const share = record.share(nowMs, this.#farmOf(server).slowStartMs);
    if (share === 1) this.#settle(record, nowMs);
    return share;
  }

  /** A connection is sent to the server: where it was ejected, this is the probe. */
  chosen(server: ServerResourceName, nowMs: number): void {
    const record = this.#unwell.get(server);
    if (record === undefined) return;
    record.connections.chosen(nowMs, this.#farmOf(server).connectTimeoutMs);
  }

  /** A connection that began at `startedMs` failed. For servers that exist: others are not to be told of. */
  failed(
    server: ServerResourceName,
    failure: ConnectFailure | "reset_before_reply",
    startedMs: number,
    nowMs: number,
  ): void {
    // For want of a descriptor or a port here, which the server can't help.
    if (failure === "local_limit") return;
    const farm = this.#farmOf(server);
    const record = this.#record(server, nowMs);
    const mayEject = (): boolean => farm.hasRoomForEjection(nowMs);
    record.connections.failed(connectReason(failure), startedMs, nowMs, farm.passive, mayEject);
    this.#settle(record, nowMs);
  }

  /** A connection was made at `connectedMs`. */
  succeeded(server: ServerResourceName, connectedMs: number): void {
    const record = this.#records.get(server);
    if (record === undefined || record.connections.failures === 0) return;
    this.#released(record, record.connections.succeeded(connectedMs), connectedMs);
  }

  /** A check ended. Gives whether the server's state is changing: some checks went the other way, and not enough of them. */
  checked(server: ServerResourceName, result: CheckResult, nowMs: number): boolean {
    const farm = this.#farmOf(server);
    const policy = farm.farm?.healthCheck;
    if (policy == null) return false;
    const record = this.#record(server, nowMs);
    const wasDown = record.checks.isDown;
    record.checks.take(result, policy, nowMs);
    if (wasDown && !record.checks.isDown) {
      // It was away for one outage, whatever connections made of that.
      record.connections.release();
      record.startSlowly(nowMs, farm.slowStartMs);
    }
    this.#settle(record, nowMs);
    return record.checks.isChanging;
  }

  /** The server's name has an address, or none. */
  resolved(server: ServerResourceName, hasAddress: boolean, nowMs: number): void {
    if (hasAddress && !this.#records.has(server)) return;
    const record = this.#record(server, nowMs);
    record.hasAddress = hasAddress;
    this.#settle(record, nowMs);
  }

  /** What is to be reported: servers that are not plainly up first, then those whose certificate was seen. */
  *states(nowMs: number): Generator<ServerHealthSeen> {
    for (const [server] of this.#unwell) {
      this.isHealthy(server, nowMs);
      this.share(server, nowMs);
    }
    for (const record of this.#unwell.values()) yield seen(record);
    for (const record of this.#records.values())
      if (record.told === "up" && record.checks.certificateExpiryMs !== null) yield seen(record);
  }

  #farmChanged(name: FarmName, farm: Farm | null, nowMs: number): void {
    const known = this.#farmOf(name);
    known.farm = farm;
    const records = [...known.records.values()];
    if (farm === null) {
      for (const record of records) this.#forget(record.server);
      this.#farms.delete(name);
      return;
    }
    for (const record of records) {
      if (farm.healthCheck === null) record.checks = new CheckVerdict();
      if (farm.passiveHealth.ejectedMaxPercent === 0) record.connections.release();
      this.#settle(record, nowMs);
    }
  }

  #serverChanged(before: Server | null, after: Server | null, nowMs: number): void {
    const server = (after ?? before)?.name;
    if (server === undefined) return;
    // A farm that went first took its servers with it.
    if (after === null && !this.#farms.has(farmOf(server))) return;
    const farm = this.#farmOf(server);
    farm.servers += Number(takesConnections(after)) - Number(takesConnections(before));
    if (after === null) {
      this.#forget(server);
      return;
    }
    if (before === null) return;
    const moved = before.address !== after.address;
    const record = this.#records.get(server);
    if (record !== undefined) {
      if (moved) record.moved();
      // What nobody checks is not known.
      if (moved || before.checkAddress !== after.checkAddress || after.state === "maintenance")
        record.checks = new CheckVerdict();
      this.#settle(record, nowMs);
    }
    if (!takesConnections(before) && takesConnections(after) && farm.slowStartMs > 0) {
      const back = this.#record(server, nowMs);
      back.startSlowly(nowMs, farm.slowStartMs);
      this.#settle(back, nowMs);
    }
  }

  /** The server has answered, or withstood its probe; it starts slowly where it is back from an ejection that lasted. */
  #released(record: ServerRecord, lasted: boolean, nowMs: number): void {
    if (lasted) record.startSlowly(nowMs, this.#farmOf(record.server).slowStartMs);
    this.#settle(record, nowMs);
  }

  /** Tells what the record's state has become, and drops a record that says nothing. */
  #settle(record: ServerRecord, nowMs: number): void {
    const from = record.told;
    const to = record.state;
    const cause = record.cause();
    if (cause !== null) [record.reason, record.detail] = [cause.reason, cause.detail];
    if (from !== to) {
      const { server, reason, detail } = record;
      record.told = to;
      record.sinceMs = nowMs;
      if (to === "up") this.#unwell.delete(server);
      else this.#unwell.set(server, record);
      for (const listener of this.#listeners) listener({ server, from, to, reason, detail, atMs: nowMs });
    }
    if (record.isPlain) this.#forget(record.server);
    else if (to === "up") [record.reason, record.detail] = [null, ""];
  }

  #forget(server: ServerResourceName): void {
    this.#records.delete(server);
    this.#unwell.delete(server);
    this.#farmOf(server).records.delete(server);
  }

  #record(server: ServerResourceName, nowMs: number): ServerRecord {
    let record = this.#records.get(server);
    if (record === undefined) {
      record = new ServerRecord(server, nowMs);
      this.#records.set(server, record);
      this.#farmOf(server).records.set(server, record);
    }
    return record;
  }

  #farmOf(name: FarmName | ServerResourceName): FarmRecord {
    const farmName = isServer(name) ? farmOf(name) : name;
    let farm = this.#farms.get(farmName);
    if (farm === undefined) {
      farm = new FarmRecord();
      this.#farms.set(farmName, farm);
    }
    return farm;
  }
}

function isServer(name: FarmName | ServerResourceName): name is ServerResourceName {
  return name.includes("/servers/");
}

function seen(record: ServerRecord): ServerHealthSeen {
  const { server, told: state, reason, detail, sinceMs, checks } = record;
  const { certificateExpiryMs, lastMs: lastCheckMs } = checks;
  return { server, state, reason, detail, sinceMs, certificateExpiryMs, lastCheckMs };
}

function takesConnections(server: Server | null): boolean {
  return server !== null && server.state !== "maintenance";
}

function asFarm(resource: Resource | null): Farm | null {
  return resource?.kind === "farm" ? resource : null;
}

function asServer(resource: Resource | null): Server | null {
  return resource?.kind === "server" ? resource : null;
}
