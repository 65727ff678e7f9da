import Database from "better-sqlite3";
import { LogCorrupt, LogUnavailable } from "./event-log.ts";

type SqliteError = InstanceType<typeof Database.SqliteError>;

/**
 * What went wrong with a log file, in the port's two words; what is neither (a fault of ours) comes back as it is.
 * The result codes are SQLite's (sqlite.org/rescode.html), the error numbers those of the file system.
 */
export function logFault(path: string, error: unknown): unknown {
  if (error instanceof LogCorrupt || error instanceof LogUnavailable) return error;
  if (error instanceof Database.SqliteError) return databaseFault(path, error);
  if (error instanceof Error && "syscall" in error) {
    const message = "code" in error && error.code === "ENOSPC" ? "the disk is full" : error.message;
    return new LogUnavailable(`${path}: ${message}`, { cause: error });
  }
  return error;
}

/** After one of these the state of the file is not known: SQLite may have written more than it told, or less. */
export function leavesFileUnknown(error: unknown): boolean {
  return error instanceof Database.SqliteError && /^SQLITE_(IOERR|CORRUPT)/.test(error.code);
}

function databaseFault(path: string, error: SqliteError): Error {
  const [, kind] = /^SQLITE_([A-Z]+)/.exec(error.code) ?? [];
  const unavailable = (what: string) => new LogUnavailable(`${path}: ${what}`, { cause: error });
  switch (kind) {
    case "CORRUPT":
    case "NOTADB":
    case "FORMAT":
      return new LogCorrupt(`${path}: damaged: ${error.message}`, { cause: error });
    case "BUSY":
    case "LOCKED":
      return unavailable("in use by another process");
    case "FULL":
      return unavailable("the disk is full");
    case "CANTOPEN":
    case "READONLY":
    case "PERM":
    case "IOERR":
    case "NOMEM":
    case "PROTOCOL":
    case "NOLFS":
      return unavailable(`${error.message} (${error.code})`);
    default:
      return error;
  }
}
