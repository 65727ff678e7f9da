import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import Database from "better-sqlite3";
import { origin, type Position } from "../../model/commit.ts";
import { type ChainLink, linkFault } from "./commit-chain.ts";
import { LogCorrupt } from "./event-log.ts";
import { logFault } from "./log-fault.ts";
import { takeOwnership } from "./log-ownership.ts";
import { headerBytes, headerFault, tablesFault, writeFormat } from "./sqlite-log-format.ts";
import { soundSnapshot } from "./sqlite-snapshots.ts";
import { walDamage } from "./wal-damage.ts";

/** How long an open waits for a foreign tool (the sqlite3 shell, a backup) that holds the file. It blocks the thread. */
const busyTimeoutMs = 1_000;

/** The write-ahead log is moved into the file when it has this many pages of 4 KiB, and cut back to this length. */
const walPages = 1_000;
const walBytesKept = walPages * 4_096;

/** A log file that was found sound, open for writing by its only owner. */
export interface LogFile {
  readonly db: Database.Database;
  /** The file's real name, for messages. */
  readonly path: string;
  /** Closes the database, then gives up the ownership. */
  release(): void;
}

/**
 * Opens or makes a log file. Everything is checked before the file is opened for writing, so that one which is damaged
 * or not ours is left as it is, byte for byte: SQLite would replay its write-ahead log into it on closing.
 *
 * @throws LogCorrupt, LogUnavailable
 */
export function openLogFile(path: string): LogFile {
  let disown: (() => void) | undefined;
  try {
    const real = realPath(path);
    disown = takeOwnership(real);
    if (!exists(real)) createLogFile(real);
    inspect(real);
    const db = openForWriting(real);
    const giveUp = disown;
    return {
      db,
      path: real,
      release: () => {
        try {
          db.close();
        } finally {
          giveUp();
        }
      },
    };
  } catch (error) {
    disown?.();
    throw logFault(path, error);
  }
}

/** Two names of one file must find one lock. */
function realPath(path: string): string {
  const real = existsSync(path) ? realpathSync(path) : join(realpathSync(dirname(path)), basename(path));
  const stats = statIfThere(real);
  if (stats !== undefined && !stats.isFile()) {
    throw new LogCorrupt(`${path}: ${stats.isDirectory() ? "a directory" : "a special file"}, not a log`);
  }
  return real;
}

function statIfThere(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

function bytesOf(path: string): number {
  return statIfThere(path)?.size ?? 0;
}

function exists(path: string): boolean {
  if (statIfThere(path) !== undefined) return true;
  // It may hold acknowledged commits, and a new file under the name would have SQLite delete it.
  if (bytesOf(`${path}-wal`) > 0) {
    throw new LogCorrupt(`${path}: the file is missing, but its write-ahead log ${path}-wal is there`);
  }
  return false;
}

/** A log gets its name when it is complete and synced; what a crash leaves of an incomplete one is removed here. */
function createLogFile(path: string): void {
  const unfinished = `${path}.new`;
  removeWithSideFiles(unfinished);
  try {
    const db = new Database(unfinished);
    try {
      writeFormat(db);
    } finally {
      db.close();
    }
    sync(unfinished);
    renameSync(unfinished, path);
    sync(dirname(path));
  } catch (error) {
    removeWithSideFiles(unfinished);
    throw error;
  }
}

function removeWithSideFiles(path: string): void {
  for (const suffix of ["", "-journal", "-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
}

function sync(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Finds every fault that an open looks for. Nothing is written to the file or its write-ahead log. */
function inspect(path: string): void {
  const wal = `${path}-wal`;
  const fault = headerFault(readHeader(path), bytesOf(path), bytesOf(wal));
  if (fault !== undefined) throw new LogCorrupt(`${path}: ${fault}`);
  if (bytesOf(`${path}-journal`) > 0) throw new LogCorrupt(`${path}: ${path}-journal is there, which no log has`);
  if (bytesOf(wal) > 0) {
    const damage = walDamage(wal);
    if (damage !== undefined) throw new LogCorrupt(`${path}: damaged: the write-ahead log ${wal}: ${damage}`);
  }
  // SQLite makes these even to read. What it made goes again; what was there before stays.
  const made = [wal, `${path}-shm`].filter((side) => statIfThere(side) === undefined);
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs });
  try {
    const found = contentFault(db);
    if (found !== undefined) throw new LogCorrupt(`${path}: damaged: ${found}`);
  } finally {
    db.close();
    for (const side of made) rmSync(side, { force: true });
  }
}

function readHeader(path: string): Uint8Array {
  const descriptor = openSync(path, "r");
  try {
    const header = Buffer.alloc(headerBytes);
    return header.subarray(0, readSync(descriptor, header, 0, headerBytes, 0));
  } finally {
    closeSync(descriptor);
  }
}

function contentFault(db: Database.Database): string | undefined {
  return structureFault(db) ?? tablesFault(db) ?? gapFault(db) ?? tailFault(db);
}

/** SQLite's own check of pages and indexes: 0.2 s for 100,000 commits of 1 KiB. */
export function structureFault(db: Database.Database): string | undefined {
  const found = String(db.pragma("integrity_check(1)", { simple: true }));
  return found === "ok" ? undefined : found.replaceAll(/\s+/g, " ");
}

function gapFault(db: Database.Database): string | undefined {
  const gaps = db.prepare<[], number>("SELECT coalesce(max(revision), 0) - count(*) FROM commits").pluck().get();
  if (gaps === 0) return undefined;
  const missing = db
    .prepare<[], number>(
      `SELECT place FROM (SELECT revision, row_number() OVER (ORDER BY revision) AS place FROM commits)
       WHERE revision <> place LIMIT 1`,
    )
    .pluck()
    .get();
  return `revision ${missing} is missing`;
}

/** Checks the chain after the newest sound snapshot, and the head in any case: what a start is going to replay. */
function tailFault(db: Database.Database): string | undefined {
  const head = headOf(db);
  const checked = Math.min(soundSnapshot(db, head.revision)?.position.revision ?? 0, head.revision - 1);
  let previous = positionAt(db, checked);
  for (const link of chainAfter(db, checked)) {
    const fault = linkFault(previous, link);
    if (fault !== undefined) return fault;
    previous = link;
  }
  return undefined;
}

const positionColumns = "SELECT epoch, revision, hash FROM commits";

export function headOf(db: Database.Database): Position {
  return db.prepare<[], Position>(`${positionColumns} ORDER BY revision DESC LIMIT 1`).get() ?? origin;
}

function positionAt(db: Database.Database, revision: number): Position {
  return db.prepare<[number], Position>(`${positionColumns} WHERE revision = ?`).get(revision) ?? origin;
}

/** The commits after a revision, in order, one in memory at a time. */
export function chainAfter(db: Database.Database, revision: number): IterableIterator<ChainLink> {
  return db
    .prepare<[number], ChainLink>(
      `SELECT revision, epoch, parent_hash AS parentHash, hash, body
       FROM commits WHERE revision > ? ORDER BY revision`,
    )
    .iterate(revision);
}

export function openForWriting(path: string): Database.Database {
  const db = new Database(path, { fileMustExist: true, timeout: busyTimeoutMs });
  try {
    // Keeps foreign writers out for as long as the log is open, and needs no shared-memory file.
    db.pragma("locking_mode = EXCLUSIVE");
    if (db.pragma("journal_mode = WAL", { simple: true }) !== "wal") {
      throw new LogCorrupt(`${path}: SQLite refuses to keep it in WAL mode`);
    }
    // Each commit is synced before it is acknowledged; on macOS through the drive's cache too.
    db.pragma("synchronous = FULL");
    db.pragma("fullfsync = ON");
    db.pragma("checkpoint_fullfsync = ON");
    db.pragma(`wal_autocheckpoint = ${walPages}`);
    db.pragma(`journal_size_limit = ${walBytesKept}`);
    // The file is data from a disk: nothing that its schema says is run, and no page is taken on trust.
    db.pragma("trusted_schema = OFF");
    db.pragma("cell_size_check = ON");
    // Only now is it certain that nobody is connected who could be using it.
    rmSync(`${path}-shm`, { force: true });
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
