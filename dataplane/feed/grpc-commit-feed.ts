import { type ClientReadableStream, credentials } from "@grpc/grpc-js";
import type { Position } from "../../model/commit.ts";
import { restoreSnapshot } from "../../model/wire/snapshot.ts";
import type { SnapshotHeader } from "../../proto/gen/switchyard/config/v1/commits.ts";
import { ConfigServiceClient, type WatchCommitsResponse } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import type { Resource as WireResource } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { type Backoff, pause } from "./backoff.ts";
import type { CommitFeed, CommitSink } from "./commit-feed.ts";
import { controlPlaneChannel } from "./control-plane-channel.ts";
import { ControlPlanes } from "./control-planes.ts";
import { refusalReason } from "./refusal-reason.ts";

const silenceMaxMsDefault = 5000;

export interface GrpcCommitFeedOptions {
  /** Control planes, any of which will do: `127.0.0.1:7700`. */
  readonly addresses: readonly string[];
  readonly backoff: Backoff;
  /** From 0 to 1, as Math.random: which one is asked first. */
  readonly random: () => number;
  /** Hears, in a sentence, why the feed was lost. */
  readonly onLost: (address: string, why: string) => void;
  /** After so long without a word the stream counts as dead. Default 5 s: the control plane breaks silence each second. */
  readonly silenceMaxMs?: number;
}

/** Follows the log by WatchCommits: for nodes that have no NATS, and for `switchyard up`. */
export class GrpcCommitFeed implements CommitFeed {
  readonly #options: GrpcCommitFeedOptions;
  /** The snapshot that came last was ahead of what the sink takes: the log itself is asked for. */
  #snapshotWasAhead = false;

  constructor(options: GrpcCommitFeedOptions) {
    this.#options = options;
  }

  async follow(sink: CommitSink, signal: AbortSignal): Promise<void> {
    const { addresses, random, backoff } = this.#options;
    const controlPlanes = new ControlPlanes(addresses, random());
    while (!signal.aborted) {
      if (await this.#once(controlPlanes.current, sink, signal)) controlPlanes.answered();
      sink.state("disconnected");
      await pause(backoff.delayMs(controlPlanes.next()), signal);
    }
  }

  /**
   * One stream, to its end. Answers whether the sink came to the head of the log: a stream that breaks off at the same
   * commit each time must not be asked for again and again without a pause.
   */
  async #once(address: string, sink: CommitSink, signal: AbortSignal): Promise<boolean> {
    const client = new ConfigServiceClient(address, credentials.createInsecure(), controlPlaneChannel);
    const { revision, hash }: Position = sink.position();
    const request = { afterRevision: BigInt(revision), afterHash: hash, snapshotAllowed: !this.#snapshotWasAhead };
    const stream = client.watchCommits(request);
    const cancel = (): void => stream.cancel();
    signal.addEventListener("abort", cancel);
    const { silenceMaxMs = silenceMaxMsDefault } = this.#options;
    let why: string | undefined;
    const silent = (): void => {
      why = `nothing was heard for ${silenceMaxMs} ms`;
      cancel();
    };
    let silence = setTimeout(silent, silenceMaxMs);
    let heard = false;
    let current = false;
    try {
      const parts = new SnapshotParts();
      for await (const message of messages(stream)) {
        clearTimeout(silence);
        this.#checkSnapshot(message, sink);
        await deliver(message, parts, sink);
        if (!heard) sink.state("following");
        heard = true;
        current ||= message.part?.$case === "beacon";
        silence = setTimeout(silent, silenceMaxMs);
      }
      this.#options.onLost(address, "the control plane ended the stream");
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      if (refusalReason(error) === "FORKED") sink.forked(detail);
      if (!signal.aborted) this.#options.onLost(address, why ?? detail);
    } finally {
      clearTimeout(silence);
      signal.removeEventListener("abort", cancel);
      stream.cancel();
      client.close();
    }
    if (current) this.#snapshotWasAhead = false;
    return current;
  }

  /** What a control plane sends is in use by some node, and nearly always not ahead of this one. @throws Error where it is */
  #checkSnapshot({ part }: WatchCommitsResponse, { snapshotRevisionMax }: CommitSink): void {
    if (part?.$case !== "snapshot" || snapshotRevisionMax === undefined) return;
    if (Number(part.value.revision) <= snapshotRevisionMax) return;
    this.#snapshotWasAhead = true;
    throw new Error(`a snapshot of revision ${part.value.revision} is ahead of ${snapshotRevisionMax}`);
  }
}

/** A stream's messages; grpc-js reports failures as an error event, which iteration turns into a throw. */
function messages(stream: ClientReadableStream<WatchCommitsResponse>): AsyncIterable<WatchCommitsResponse> {
  return stream as AsyncIterable<WatchCommitsResponse>;
}

async function deliver({ part }: WatchCommitsResponse, parts: SnapshotParts, sink: CommitSink): Promise<void> {
  switch (part?.$case) {
    case "snapshot":
      parts.begin(part.value);
      return;
    case "resources":
      parts.add(part.value.resources);
      return;
    case "commit":
      await parts.finish(sink);
      // The control plane says where the log ends right behind the last one that it has.
      await sink.commit(part.value, true);
      return;
    case "beacon": {
      await parts.finish(sink);
      const { epoch, revision, hash } = part.value;
      await sink.beacon({ epoch: Number(epoch), revision: Number(revision), hash });
      return;
    }
    case undefined:
      // A newer control plane says something that this node does not know; what matters comes as one of the above.
      return;
  }
}

/** Collects a snapshot until the first message that is not of it. */
class SnapshotParts {
  #header: SnapshotHeader | undefined;
  #resources: WireResource[] = [];

  begin(header: SnapshotHeader): void {
    this.#header = header;
    this.#resources = [];
  }

  add(resources: readonly WireResource[]): void {
    for (const resource of resources) this.#resources.push(resource);
  }

  /** @throws SnapshotInvalid where it is not complete, or not what its digest says */
  async finish(sink: CommitSink): Promise<void> {
    const header = this.#header;
    if (header === undefined) return;
    const resources = this.#resources;
    this.#header = undefined;
    this.#resources = [];
    await sink.snapshot(restoreSnapshot(header, resources));
  }
}
