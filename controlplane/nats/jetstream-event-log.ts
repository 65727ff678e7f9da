import type { NatsConnection } from "nats";
import type { Position, SealedCommit } from "../../model/commit.ts";
import { logNames } from "../../model/log-names.ts";
import { encodeBeacon } from "../../model/wire/log-record.ts";
import {
  type AppendKey,
  type AppendOutcome,
  type EventLog,
  LogUnavailable,
  type NewerSnapshots,
  type StoredSnapshot,
} from "../log/event-log.ts";
import { AppendLine } from "./append-line.ts";
import { LocalCopy } from "./local-copy.ts";
import { LogRepair } from "./log-repair.ts";
import { LogStream } from "./log-stream.ts";
import { LogWatch, type WatchState } from "./log-watch.ts";
import { answerHeads } from "./replica-heads.ts";
import { checkServerVersion, serverWarnings } from "./server-version.ts";
import { SnapshotPublisher } from "./snapshot-publisher.ts";
import { StreamFollower } from "./stream-follower.ts";
import type { StreamLimits } from "./stream-settings.ts";
import { ensureStreams } from "./streams.ts";

const beaconEveryMs = 1_000;
const lookEveryMsDefault = 1_000;
const headsGatherMsDefault = 1_000;
const othersBackMsDefault = 1_500;

export interface JetStreamEventLogOptions {
  /** Of `connectNats`: it comes back by itself. It is not closed with the log. */
  readonly connection: NatsConnection;
  readonly namespace?: string;
  /** One word, unique among the replicas, the same after a restart. */
  readonly replicaId: string;
  /** The file of this replica's copy; its directory must exist. */
  readonly localPath: string;
  /** How the streams are made where they are missing. */
  readonly limits: StreamLimits;
  /** What an operator should read. */
  readonly report?: (level: "warn" | "error", message: string) => void;
  readonly onState?: (status: JetStreamLogStatus) => void;
  /** This replica followed a history that is not the log's any more: whoever folded it must begin anew. */
  readonly onReplaced?: (detail: string) => void;
  /** How often the stream is looked at. Default 1 s. */
  readonly lookEveryMs?: number;
  /** How long other replicas have to say where their copies end. Default 1 s. */
  readonly headsGatherMs?: number;
  /** How long other replicas have to come back before this one makes or rebuilds a stream. Default 1.5 s. */
  readonly othersBackMs?: number;
  readonly nowMs?: () => number;
}

export interface JetStreamLogStatus {
  readonly state: WatchState;
  readonly detail?: string;
  readonly serverVersion: string;
  /** Of this replica's copy. */
  readonly head: Position;
}

/**
 * The log of a fleet: a JetStream stream says what is taken, and in which order; each replica keeps a copy of it in the
 * embedded engine, synced before an append is answered. Reads come from the copy, and go on without the server.
 *
 * A stream that has lost or changed commits is rebuilt from the longest copy among the replicas (`log-repair.ts`);
 * meanwhile appends say {@link LogUnavailable}.
 */
export class JetStreamEventLog implements EventLog {
  readonly #connection: NatsConnection;
  readonly #copy: LocalCopy;
  readonly #follower: StreamFollower;
  readonly #line: AppendLine;
  readonly #watch: LogWatch;
  readonly #snapshots: SnapshotPublisher;
  readonly #stops: (() => void)[] = [];
  readonly #watchers: Set<(head: Position) => void>;
  #closing: Promise<void> | undefined;

  private constructor(parts: {
    connection: NatsConnection;
    copy: LocalCopy;
    follower: StreamFollower;
    line: AppendLine;
    watch: LogWatch;
    snapshots: SnapshotPublisher;
    watchers: Set<(head: Position) => void>;
  }) {
    this.#connection = parts.connection;
    this.#copy = parts.copy;
    this.#follower = parts.follower;
    this.#line = parts.line;
    this.#watch = parts.watch;
    this.#snapshots = parts.snapshots;
    this.#watchers = parts.watchers;
  }

  /**
   * Opens the copy, makes the streams where there are none, and brings the copy up to the log. Where the server can't
   * be reached, or the stream is being rebuilt, it opens all the same, with what the copy has.
   *
   * @throws NatsUnusable where the server, or how it is set up, can't keep the log's promises
   * @throws LogCorrupt, LogUnavailable as the embedded engine, of the copy
   */
  static async open(options: JetStreamEventLogOptions): Promise<JetStreamEventLog> {
    const { connection, replicaId, limits, report = () => undefined, nowMs = Date.now } = options;
    checkServerVersion(connection.info?.version ?? "");
    for (const warning of serverWarnings(connection.info?.version ?? "", limits.replicas)) report("warn", warning);
    const names = logNames(options.namespace);
    const stream = await LogStream.of(connection, names);
    const watchers = new Set<(head: Position) => void>();
    const copy = await LocalCopy.open(options.localPath, (head) => {
      for (const watcher of watchers) queueMicrotask(() => watchers.has(watcher) && watcher(head));
    });
    const follower = new StreamFollower(stream, copy);
    const snapshots = new SnapshotPublisher(stream, (message) => report("warn", message));
    const repair = new LogRepair({
      stream,
      copy,
      follower,
      replicaId,
      nowMs,
      report,
      headsGatherMs: options.headsGatherMs ?? headsGatherMsDefault,
      othersBackMs: options.othersBackMs ?? othersBackMsDefault,
      makeStreams: async () => void (await ensureStreams(connection, names, limits)),
      replaced: (detail) => options.onReplaced?.(detail),
      rebuilt: async () => {
        const newest = await copy.log.snapshotAtOrBefore(copy.head.revision);
        if (newest === undefined) await snapshots.withdraw();
        else snapshots.publish(newest, true);
      },
    });
    const changed = (): void => options.onState?.(log.status());
    const watch = new LogWatch({
      connection,
      follower,
      repair,
      changed,
      lookEveryMs: options.lookEveryMs ?? lookEveryMsDefault,
    });
    const line = new AppendLine(stream, copy, watch);
    const log = new JetStreamEventLog({ connection, copy, follower, line, watch, snapshots, watchers });
    // Before anything is looked at: what is taken from here on is heard.
    log.#stops.push(follower.subscribe(() => watch.lookSoon()));
    watch.onDisconnect(() => stream.interrupt());
    await watch.start();
    log.#stops.push(answerHeads(connection, names, () => ({ replica: replicaId, head: copy.head })));
    const beacon = setInterval(() => {
      if (watch.state !== "following" || connection.isClosed()) return;
      connection.publish(names.beaconSubject, encodeBeacon({ replica: replicaId, head: copy.head }));
    }, beaconEveryMs);
    log.#stops.push(() => clearInterval(beacon));
    return log;
  }

  status(): JetStreamLogStatus {
    const { state, detail } = this.#watch;
    const serverVersion = this.#connection.info?.version ?? "";
    return { state, ...(detail === undefined ? {} : { detail }), serverVersion, head: this.#copy.head };
  }

  /** The stream's end, once the copy has it; the copy's end where the stream can't be asked now. */
  async head(): Promise<Position> {
    this.#assertOpen();
    if (this.#watch.state === "following") await this.#watch.refresh().catch(ignoreUnavailable);
    return this.#copy.head;
  }

  knownHead(): Position {
    this.#assertOpen();
    return this.#copy.head;
  }

  async append(commit: SealedCommit, key: AppendKey): Promise<AppendOutcome> {
    this.#assertOpen();
    return this.#line.append(commit, key);
  }

  async read(after: number, limit: number): Promise<readonly SealedCommit[]> {
    this.#assertOpen();
    return this.#copy.read(after, limit);
  }

  async findRequest(requestId: string): Promise<number | undefined> {
    this.#assertOpen();
    return this.#copy.findRequest(requestId);
  }

  /** The callback hears of every commit that the copy takes, by whichever replica it was. */
  onAppend(callback: (head: Position) => void): () => void {
    this.#assertOpen();
    const watcher = (head: Position): void => callback(head);
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** Kept in the copy, and published for nodes in the background; with `drop_newer` in the place of whatever is there. */
  async saveSnapshot(snapshot: StoredSnapshot, newer: NewerSnapshots = "keep_newer"): Promise<void> {
    this.#assertOpen();
    await this.#copy.synced();
    await this.#copy.log.saveSnapshot(snapshot, newer);
    this.#snapshots.publish(snapshot, newer === "drop_newer");
  }

  async snapshotAtOrBefore(revision: number): Promise<StoredSnapshot | undefined> {
    this.#assertOpen();
    return this.#copy.log.snapshotAtOrBefore(revision);
  }

  /** What was asked for before is answered first. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#line.idle();
    this.#watchers.clear();
    for (const stop of this.#stops) stop();
    await this.#watch.stop();
    await this.#follower.alone(async () => undefined);
    await this.#snapshots.idle();
    await this.#copy.close();
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new LogUnavailable(`${this.#copy.path}: the log is closed`);
  }
}

function ignoreUnavailable(error: unknown): void {
  if (!(error instanceof LogUnavailable)) throw error;
}
