import { ErrorCode, type NatsConnection, NatsError } from "nats";
import type { SealedCommit } from "../../model/commit.ts";
import { blobChunkSubject, type LogNames } from "../../model/log-names.ts";
import { joinReferenced } from "../../model/wire/log-record.ts";
import { directGet } from "./direct-get.ts";

/** Room in a message for its headers and framing. */
const messageOverheadBytes = 8 * 1024;

/** Requests for chunks that are under way at once. */
const chunksAtOnce = 8;

/** The largest payload that a record may have on this server. */
export function recordBytesMax(connection: NatsConnection): number {
  return (connection.info?.max_payload ?? 1024 * 1024) - messageOverheadBytes;
}

/** Cuts bytes into what fits into messages; at least one chunk. */
export function chunksOf(bytes: Uint8Array, chunkBytes: number): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes));
  return chunks;
}

/** Stores a body in chunks, named by its hash; they are synced as the stream is before this resolves. */
export async function putBlob(
  connection: NatsConnection,
  names: LogNames,
  commit: SealedCommit,
  timeoutMs: number,
): Promise<number> {
  const chunks = chunksOf(commit.body, recordBytesMax(connection));
  const client = connection.jetstream({ timeout: timeoutMs });
  await inTurns(chunks, async (chunk, index) => {
    await client.publish(blobChunkSubject(names, commit.hash, index), chunk, {
      expect: { streamName: names.blobStream },
    });
  });
  return chunks.length;
}

/** Puts a body together again. Undefined where a chunk is missing, or they are not what the reference says. */
export async function getBlob(
  connection: NatsConnection,
  names: LogNames,
  reference: { readonly hash: Uint8Array; readonly size: number; readonly chunkCount: number },
  timeoutMs: number,
): Promise<SealedCommit | undefined> {
  const chunks: (Uint8Array | undefined)[] = [];
  try {
    await inTurns(Array.from({ length: reference.chunkCount }), async (_, index) => {
      const lastOf = blobChunkSubject(names, reference.hash, index);
      chunks[index] = (await directGet(connection, names.blobStream, { lastOf }, timeoutMs))?.data;
    });
  } catch (error) {
    // Nobody keeps the stream at all.
    const noResponders: string = ErrorCode.NoResponders;
    if (error instanceof NatsError && error.code === noResponders) return undefined;
    throw error;
  }
  return joinReferenced(
    reference,
    chunks.filter((chunk) => chunk !== undefined),
  );
}

/** Drops the chunks of a commit that was not taken. What is left where this fails costs room, and nothing else. */
export async function purgeBlob(connection: NatsConnection, names: LogNames, hash: Uint8Array): Promise<void> {
  const manager = await connection.jetstreamManager({ checkAPI: false });
  const filter = blobChunkSubject(names, hash, 0).replace(/\.0$/, ".>");
  await manager.streams.purge(names.blobStream, { filter });
}

/** Runs the work for each item, a few at once. */
export async function inTurns<Item>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<void>,
  atOnce = chunksAtOnce,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next;
      next += 1;
      await work(items[index] as Item, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}
