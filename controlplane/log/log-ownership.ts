import Database from "better-sqlite3";
import { LogUnavailable } from "./event-log.ts";
import { logFault } from "./log-fault.ts";

/**
 * A log file has one owner: the process, and in it the one `SqliteEventLog`, that holds the lock on `<log>.lock`.
 *
 * Node has no `flock`, so an empty SQLite database holds the lock: a transaction that never ends. The kernel frees it
 * with the process, however that dies; the file stays, empty, and means nothing by being there. It is not the log file
 * that is locked, because POSIX drops all of a process's locks on a file when it closes *any* descriptor of it
 * (fcntl(2)), and a log file may well be read in passing: for its header, for a backup.
 */
export function takeOwnership(logPath: string): () => void {
  const lockPath = `${logPath}.lock`;
  let lock: Database.Database | undefined;
  try {
    lock = new Database(lockPath, { timeout: 0 });
    // A journal would be a second file; nothing is ever written that could need one.
    lock.pragma("journal_mode = OFF");
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock?.close();
    if (error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY")) {
      throw new LogUnavailable(`${logPath}: another process, or another part of this one, has this log open`, {
        cause: error,
      });
    }
    throw logFault(lockPath, error);
  }
  const held = lock;
  return () => held.close();
}
