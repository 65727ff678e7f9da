import type { Database } from "better-sqlite3";

/** "SWYD" in the header of every log file (sqlite.org/fileformat2.html, offset 68): a file without it is not ours. */
export const applicationId = 0x53575944;

/** The version of the tables below, in the header's user version (offset 60). A file with a higher one is refused. */
export const formatVersion = 1;

/**
 * The parent's hash stands inside each body too, which the log does not open; the column lets the chain be checked
 * without it. A unique index on `request_id` is what makes a retry find its commit.
 */
const tables: Readonly<Record<string, string>> = {
  commits: `CREATE TABLE commits (
  revision INTEGER PRIMARY KEY CHECK (revision > 0),
  epoch INTEGER NOT NULL CHECK (epoch > 0),
  request_id TEXT NOT NULL UNIQUE,
  parent_hash BLOB NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  body BLOB NOT NULL
) STRICT`,
  snapshots: `CREATE TABLE snapshots (
  revision INTEGER PRIMARY KEY CHECK (revision >= 0),
  epoch INTEGER NOT NULL CHECK (epoch > 0),
  hash BLOB NOT NULL,
  body_sha256 BLOB NOT NULL CHECK (length(body_sha256) = 32),
  body BLOB NOT NULL
) STRICT`,
};

/** Makes an empty database a log. */
export function writeFormat(db: Database): void {
  // In WAL mode from its first byte on: no owner ever has to convert a log that holds commits.
  db.pragma("journal_mode = WAL");
  db.transaction(() => {
    db.pragma(`application_id = ${applicationId}`);
    db.pragma(`user_version = ${formatVersion}`);
    for (const definition of Object.values(tables)) db.exec(definition);
  }).immediate();
}

/** What is wrong with the tables, or undefined. */
export function tablesFault(db: Database): string | undefined {
  const stored = new Map(
    db
      .prepare<[], { name: string; sql: string }>("SELECT name, sql FROM sqlite_schema WHERE type = 'table'")
      .all()
      .map(({ name, sql }) => [name, sql]),
  );
  for (const [name, definition] of Object.entries(tables)) {
    if (!stored.has(name)) return `the table ${name} is missing`;
    if (stored.get(name) !== definition) return `the table ${name} is not as format ${formatVersion} has it`;
  }
  return undefined;
}

const magic = "SQLite format 3\0";

/** SQLite's own header; the fields that are read here lie in its first 100 bytes. */
export const headerBytes = 100;

/**
 * What is wrong with a log file, going by its first {@link headerBytes} bytes, or undefined. Read before SQLite opens
 * the file, because SQLite writes beside (and, after a crash, into) what it opens.
 *
 * The header can be trusted while a write-ahead log is still to be replayed: a log file gets its name only when it is
 * complete. The file's length can't: the write-ahead log may hold the rest.
 */
export function headerFault(header: Uint8Array, fileBytes: number, walBytes: number): string | undefined {
  if (fileBytes === 0) return "empty, where a log has at least a header";
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (!magic.startsWith(new TextDecoder("latin1").decode(header.subarray(0, magic.length)))) {
    return "not a SQLite database";
  }
  if (header.length < headerBytes) return `truncated: ${fileBytes} bytes are not even a header`;
  const id = view.getUint32(68);
  if (id !== applicationId) return `not a Switchyard log: its application id is 0x${id.toString(16).padStart(8, "0")}`;
  const version = view.getInt32(60);
  if (version > formatVersion) {
    return `of format ${version}, written by a newer version; this one reads up to ${formatVersion}`;
  }
  if (version !== formatVersion) return `of format ${version}, which never was`;
  const pageBytes = view.getUint16(16) === 1 ? 65_536 : view.getUint16(16);
  const pages = view.getUint32(28);
  if (walBytes === 0 && pages * pageBytes > fileBytes) {
    return `truncated: its header counts ${pages} pages of ${pageBytes} bytes, the file has ${fileBytes} bytes`;
  }
  return undefined;
}
