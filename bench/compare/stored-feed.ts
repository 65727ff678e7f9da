import { readFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { CommitFeed, CommitSink } from "../../dataplane/feed/commit-feed.ts";
import { inSlices } from "../../dataplane/feed/in-slices.ts";
import { openStoredSnapshot } from "../../model/wire/stored-snapshot.ts";

/** SHA-256, in front of what it is of. */
const checksumBytes = 32;

/** What a file holds, behind its checksum. */
export function withChecksum(content: Uint8Array): Buffer {
  return Buffer.concat([createHash("sha256").update(content).digest(), content]);
}

/**
 * A feed for a process that is measured: a stored snapshot first, and then sealed commits, from files. They stand for the
 * node's cache and for what a control plane sends: what the node does with them is the same, to the byte.
 */
export class StoredFeed implements CommitFeed {
  readonly #snapshotPath: string;
  #sink: CommitSink | undefined;
  /** Settles when the digest of the snapshot was proven, in slices while the node routes by it. */
  readonly proven: Promise<void>;
  #prove: (proof: Promise<void>) => void = () => undefined;

  constructor(snapshotPath: string) {
    this.#snapshotPath = snapshotPath;
    this.proven = new Promise((resolve) => {
      this.#prove = resolve;
    });
  }

  async follow(sink: CommitSink, signal: AbortSignal): Promise<void> {
    const configuration = openStoredSnapshot(await readChecked(this.#snapshotPath));
    await sink.snapshot(configuration);
    sink.state("following");
    await sink.beacon(configuration.position);
    this.#sink = sink;
    this.#prove(
      inSlices(configuration.proving()).then((holds) => {
        if (!holds) throw new Error("the snapshot's digest is not that of its resources");
      }),
    );
    if (!signal.aborted) await once(signal, "abort");
  }

  /** Hands the node the commit of a file, which begins with its hash; resolves when it is in force. */
  async deliver(path: string): Promise<void> {
    await this.proven;
    const content = await readFile(path);
    const [hash, body] = [content.subarray(0, checksumBytes), content.subarray(checksumBytes)];
    if (this.#sink === undefined) throw new Error("the node does not follow");
    await this.#sink.commit({ hash, body });
  }
}

async function readChecked(path: string): Promise<Uint8Array> {
  const content = await readFile(path);
  const body = content.subarray(checksumBytes);
  const checksum = createHash("sha256").update(body).digest();
  if (!checksum.equals(content.subarray(0, checksumBytes))) throw new Error(`${path} is damaged`);
  return body;
}
