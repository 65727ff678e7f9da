import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NatsConnection } from "nats";
import { type AppendOutcome, LogUnavailable } from "../../controlplane/log/event-log.ts";
import { connectNats } from "../../controlplane/nats/connect.ts";
import { JetStreamEventLog, type JetStreamEventLogOptions } from "../../controlplane/nats/jetstream-event-log.ts";
import type { SealedCommit } from "../../model/commit.ts";
import { appendOn } from "../contract/sealed-commit.ts";

export const testLimits = { replicas: 1, logBytesMax: 256 << 20, blobBytesMax: 256 << 20, snapshotBytesMax: 64 << 20 };

/** A replica of the control plane, as far as the log goes: its connection, its log, and what it said. */
export interface TestReplica {
  readonly id: string;
  readonly log: JetStreamEventLog;
  readonly connection: NatsConnection;
  readonly localPath: string;
  readonly reports: string[];
  readonly replaced: string[];
  close(): Promise<void>;
}

/** A directory for the copies of some replicas, and all that was opened in it. */
export class TestFleet {
  readonly directory = mkdtempSync(join(tmpdir(), "switchyard-fleet-"));
  readonly #replicas: TestReplica[] = [];

  async replica(url: string, id: string, options: Partial<JetStreamEventLogOptions> = {}): Promise<TestReplica> {
    const connection = await connectNats({ servers: url, name: id });
    const reports: string[] = [];
    const replaced: string[] = [];
    const localPath = join(this.directory, `${id}.sqlite`);
    const log = await JetStreamEventLog.open({
      connection,
      replicaId: id,
      localPath,
      limits: testLimits,
      report: (level, message) => reports.push(`${level}: ${message}`),
      onReplaced: (detail) => replaced.push(detail),
      headsGatherMs: 300,
      ...options,
    });
    const close = async (): Promise<void> => {
      await log.close();
      await connection.close();
    };
    const replica = { id, log, connection, localPath, reports, replaced, close };
    this.#replicas.push(replica);
    return replica;
  }

  /** A client that is no replica; who asks for it closes it. */
  async connection(url: string): Promise<NatsConnection> {
    return connectNats({ servers: url, name: "test" });
  }

  async closeReplicas(): Promise<void> {
    for (const replica of this.#replicas) await replica.close();
  }

  async dispose(): Promise<void> {
    await this.closeReplicas();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Appends one commit under a request id, however often it takes, and gives its revision: then it is acknowledged. */
export async function commitUntilTaken(log: JetStreamEventLog, requestId: string, bytes?: Uint8Array): Promise<number> {
  for (;;) {
    const head = await log.head();
    const { commit, key } = appendOn(head, requestId, {}, bytes);
    try {
      const answer: AppendOutcome = await log.append(commit, key);
      if (answer.outcome === "appended") return answer.head.revision;
      if (answer.outcome === "duplicate") return answer.revision;
    } catch (error) {
      if (!(error instanceof LogUnavailable)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** All commits of a log's copy. */
export async function allCommits(log: JetStreamEventLog): Promise<readonly SealedCommit[]> {
  const { revision } = await log.head();
  return log.read(0, revision);
}
