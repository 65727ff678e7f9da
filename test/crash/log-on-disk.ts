import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { onTestFinished } from "vitest";
import { SqliteEventLog } from "../../controlplane/log/sqlite-event-log.ts";
import { appendOn, fill, positionOf } from "../contract/sealed-commit.ts";

/** How many commits the logs below hold. */
export const commitsWritten = 8;

/** A directory that goes with the test. */
export function testDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "switchyard-log-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Opens a log that is closed with the test. */
export async function openLog(path: string): Promise<SqliteEventLog> {
  const log = await SqliteEventLog.open({ path });
  onTestFinished(async () => log.close());
  return log;
}

/** A log that was closed in order: all of it is in the one file. A snapshot is at `snapshotAt`, if that is given. */
export async function closedLog(snapshotAt?: number): Promise<string> {
  const path = join(testDirectory(), "log.sqlite");
  const log = await openLog(path);
  const appends = await fill(log, commitsWritten);
  const at = appends[(snapshotAt ?? 0) - 1];
  if (at !== undefined) await log.saveSnapshot({ position: positionOf(at), body: Buffer.from("a snapshot") });
  await log.close();
  return path;
}

/** A log whose owner died: its commits are in the write-ahead log. `sql` goes there too, if it is given. */
export async function crashedLog(sql?: string): Promise<string> {
  const living = join(testDirectory(), "log.sqlite");
  const log = await openLog(living);
  await fill(log, commitsWritten);
  const crashed = crashCopy(living);
  await log.close();
  if (sql === undefined) return crashed;
  const db = new Database(crashed);
  db.exec(sql);
  const changed = crashCopy(crashed);
  db.close();
  return changed;
}

/** What a crash would leave of a log that is open now. */
export function crashCopy(living: string): string {
  const path = join(testDirectory(), "log.sqlite");
  for (const suffix of ["", "-wal"]) copyFileSync(`${living}${suffix}`, `${path}${suffix}`);
  return path;
}

/** Changes a stored log as SQLite would, leaving its structure sound. */
export function alter(path: string, sql: string): void {
  const db = new Database(path, { fileMustExist: true });
  db.exec(sql);
  db.close();
}

/** Rewrites a file's bytes. */
export function rewrite(path: string, change: (bytes: Buffer) => Uint8Array): void {
  writeFileSync(path, change(readFileSync(path)));
}

/** Flips the lowest bit of the byte at an offset. */
export function flip(path: string, offset: number): void {
  rewrite(path, (bytes) => {
    bytes[offset] = bytes.readUInt8(offset) ^ 1;
    return bytes;
  });
}

/** Where the nth occurrence of a text is in a file. */
export function offsetOf(path: string, text: string, nth: number): number {
  const bytes = readFileSync(path);
  let at = -1;
  for (let seen = 0; seen < nth; seen += 1) {
    at = bytes.indexOf(text, at + 1);
    if (at === -1) throw new Error(`${path} has ${text} only ${seen} times`);
  }
  return at;
}

/** Every file of a directory by its SHA-256, but for the lock: it is empty, and means nothing by being there. */
export function fingerprints(directory: string): Record<string, string> {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return {};
  const sha256 = (name: string) =>
    createHash("sha256")
      .update(readFileSync(join(directory, name)))
      .digest("hex");
  return Object.fromEntries(
    readdirSync(directory, { withFileTypes: true })
      .filter(({ name }) => !name.endsWith(".lock"))
      .map((entry) => [entry.name, entry.isFile() ? sha256(entry.name) : "not a file"]),
  );
}

/** One more commit. */
export async function appendOne(log: SqliteEventLog, requestId: string, bodyBytes = 100): Promise<void> {
  const { commit, key } = appendOn(await log.head(), requestId, {}, Buffer.alloc(bodyBytes, requestId));
  const { outcome } = await log.append(commit, key);
  if (outcome !== "appended") throw new Error(`${requestId}: ${outcome}`);
}
