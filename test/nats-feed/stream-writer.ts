import { createHash } from "node:crypto";
import { headers, type NatsConnection } from "nats";
import { connectNats } from "../../controlplane/nats/connect.ts";
import { ensureStreams } from "../../controlplane/nats/streams.ts";
import { origin, type Position, type SealedCommit } from "../../model/commit.ts";
import { Configuration } from "../../model/configuration.ts";
import type { ConfigEvent } from "../../model/event.ts";
import { blobChunkSubject, logNames, snapshotChunkSubject } from "../../model/log-names.ts";
import { waitFor } from "../support/wait-for.ts";
import { openCommit, sealCommit, sealEpochMarker } from "../../model/wire/commit.ts";
import {
  encodeBeacon,
  encodeCommitRecord,
  encodeReferenceRecord,
  encodeSnapshotPointer,
} from "../../model/wire/log-record.ts";
import { encodeSnapshotParts } from "../../model/wire/snapshot.ts";
import { written } from "../support/arbitrary-resource.ts";

/** A chain of commits that is written by hand; two that are given the same author are the same. */
export class HandMadeChain {
  readonly commits: SealedCommit[] = [];
  readonly configuration = new Configuration();
  readonly #author: string;

  constructor(author: string, from?: readonly SealedCommit[]) {
    this.#author = author;
    for (const commit of from ?? []) this.#take(commit);
  }

  get head(): Position {
    return this.configuration.position;
  }

  /** The next commit: one more farm, and a reason of some length. */
  grow(reasonLength = 0): SealedCommit {
    const { epoch, revision, hash: parentHash } = this.head;
    const event: ConfigEvent = {
      type: "created",
      resource: written({ farm: { name: `farms/f${revision + 1}`, connectAttemptsMax: 3 } }),
    };
    const by = { requestId: `r${revision}-${this.#author}`, requestDigest: origin.hash, author: this.#author };
    const reason = "x".repeat(reasonLength);
    const events = [event];
    return this.#take(sealCommit({ epoch, revision: revision + 1, parentHash, ...by, reason, timeMs: 0, events }));
  }

  /** The commit under which a rebuilt log goes on. */
  mark(epoch: number): SealedCommit {
    return this.#take(sealEpochMarker(this.head, epoch, "rebuilt", 0));
  }

  #take(sealed: SealedCommit): SealedCommit {
    const opened = openCommit(sealed);
    if ("fault" in opened) throw new Error(opened.detail);
    this.configuration.apply(opened.commit, opened.position);
    this.commits.push(sealed);
    return sealed;
  }
}

const names = logNames();
const streamBytesMax = 64 * 1024 * 1024;

/** What a control plane is to the nodes: it makes the streams, writes commits, and sends beacons while told to. */
export class StreamWriter {
  readonly connection: NatsConnection;
  #beacons: NodeJS.Timeout | undefined;

  private constructor(connection: NatsConnection) {
    this.connection = connection;
  }

  static async open(servers: string): Promise<StreamWriter> {
    const writer = new StreamWriter(await connectNats({ servers, name: "writer", timeoutMs: 1000 }));
    await writer.makeStreams();
    return writer;
  }

  async makeStreams(): Promise<void> {
    const bytes = { logBytesMax: streamBytesMax, blobBytesMax: streamBytesMax, snapshotBytesMax: streamBytesMax };
    await ensureStreams(this.connection, names, { replicas: 1, ...bytes });
  }

  /** Appends commits, each under the expectation of the one before it. */
  async append(...commits: readonly SealedCommit[]): Promise<void> {
    for (const commit of commits) {
      const opened = openCommit(commit);
      if ("fault" in opened) throw new Error(opened.detail);
      await this.publish(opened.position.revision, encodeCommitRecord(commit));
    }
  }

  /** Any bytes as the record of a revision. */
  async publish(revision: number, record: Uint8Array): Promise<void> {
    const head = headers();
    head.set("Nats-Expected-Last-Sequence", String(revision - 1));
    const reply = await this.connection.request(names.logSubject, record, { headers: head, timeout: 5000 });
    const { error } = reply.json<{ error?: { description: string } }>();
    if (error !== undefined) throw new Error(error.description);
  }

  /** Appends a commit as a reference, its body in chunks beside it. */
  async appendByReference(revision: number, commit: SealedCommit, chunkBytes: number): Promise<void> {
    let count = 0;
    for (let at = 0; at < commit.body.length; at += chunkBytes) {
      const subject = blobChunkSubject(names, commit.hash, count);
      await this.connection.request(subject, commit.body.subarray(at, at + chunkBytes), { timeout: 5000 });
      count += 1;
    }
    await this.publish(revision, encodeReferenceRecord(commit.hash, commit.body.length, count));
  }

  async saveSnapshot(configuration: Configuration, chunkBytes = 1000): Promise<void> {
    const body = Buffer.concat([...encodeSnapshotParts(configuration, 100)]);
    const { position } = configuration;
    let chunkCount = 0;
    for (let at = 0; at < body.length; at += chunkBytes) {
      const subject = snapshotChunkSubject(names, position.revision, position.hash, chunkCount);
      await this.connection.request(subject, body.subarray(at, at + chunkBytes), { timeout: 5000 });
      chunkCount += 1;
    }
    const sha256 = new Uint8Array(createHash("sha256").update(body).digest());
    const pointer = encodeSnapshotPointer({ position, size: body.length, sha256, chunkCount });
    await this.connection.request(names.snapshotPointerSubject, pointer, { timeout: 5000 });
  }

  /** Sends beacons until told otherwise. */
  beaconsOf(head: () => Position, everyMs = 50): void {
    this.silence();
    this.#beacons = setInterval(() => {
      this.connection.publish(names.beaconSubject, encodeBeacon({ replica: "writer", head: head() }));
    }, everyMs);
  }

  silence(): void {
    clearInterval(this.#beacons);
  }

  async close(): Promise<void> {
    this.silence();
    await this.connection.close();
  }
}

/** Tries until it works: after a restart what is asked for at first is rejected, or lost. */
export async function insistently(work: () => Promise<unknown>): Promise<void> {
  let done = false;
  const attempt = (): void => {
    work().then(
      () => (done = true),
      () => setTimeout(attempt, 10),
    );
  };
  attempt();
  await waitFor("the server answers", () => done);
}
