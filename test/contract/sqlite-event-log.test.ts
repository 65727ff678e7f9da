import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { SqliteEventLog } from "../../controlplane/log/sqlite-event-log.ts";
import { describeEventLog } from "./event-log.contract.ts";

describeEventLog("SqliteEventLog", () => {
  const directory = mkdtempSync(join(tmpdir(), "switchyard-log-"));
  const path = join(directory, "log.sqlite");
  const open = async () => SqliteEventLog.open({ path });
  return {
    open,
    reopen: open,
    damageSnapshot: async (revision) => {
      const db = new Database(path, { fileMustExist: true });
      db.prepare("UPDATE snapshots SET body = CAST('X' || substr(body, 2) AS BLOB) WHERE revision = ?").run(revision);
      db.close();
    },
    dispose: async () => rmSync(directory, { recursive: true }),
  };
});
