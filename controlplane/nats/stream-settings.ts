import { DiscardPolicy, nanos, RetentionPolicy, StorageType, type StreamConfig } from "nats";
import type { LogNames } from "../../model/log-names.ts";

/** A retry under the same request id is known again for this long; older ones are found in the replica's own copy. */
const duplicateWindowMs = 5 * 60_000;

export interface StreamLimits {
  /** Servers that keep each message: 1, or 3 where there are three servers. */
  readonly replicas: number;
  /** Bytes that the log may take; past them commits are refused. Default 1 GiB. */
  readonly logBytesMax?: number;
  /** The same for the bodies of large commits. Default 1 GiB. */
  readonly blobBytesMax?: number;
  /** Snapshots beyond this are dropped, the oldest first. Default 512 MiB: some snapshots of a million routes. */
  readonly snapshotBytesMax?: number;
}

/** A stream as it is wanted. A setting that is left out may be whatever the server has it at. */
export type StreamSettings = Partial<StreamConfig> & Pick<StreamConfig, "name">;

const mebibyte = 1024 * 1024;
const leaseBytesMax = mebibyte;
const leaseMessagesMax = 64;
export const snapshotBytesMaxDefault = 512 * mebibyte;

/** LOG, BLOBS, SNAPSHOTS and LEASE of an installation. */
export function streamSettings(names: LogNames, limits: StreamLimits): readonly StreamSettings[] {
  const { replicas, logBytesMax = 1024 * mebibyte, blobBytesMax = 1024 * mebibyte } = limits;
  const { snapshotBytesMax = snapshotBytesMaxDefault } = limits;
  return [
    {
      ...keptForEver(replicas),
      name: names.logStream,
      subjects: [names.logSubject],
      max_bytes: logBytesMax,
      max_msgs_per_subject: -1,
      deny_purge: true,
      duplicate_window: nanos(duplicateWindowMs),
      // What the stream has taken, and nothing else: a plain subscriber of the log's subject would hear refused commits too.
      republish: { src: names.logSubject, dest: names.feedSubject },
    },
    {
      ...keptForEver(replicas),
      name: names.blobStream,
      subjects: [`${names.namespace}.blob.>`],
      max_bytes: blobBytesMax,
      // A chunk's subject has its commit's hash: written twice, it is the same. Those of a commit that was not taken are purged.
      max_msgs_per_subject: 1,
    },
    {
      ...common(replicas),
      name: names.snapshotStream,
      subjects: [`${names.namespace}.snapshot.>`],
      max_bytes: snapshotBytesMax,
      max_msgs_per_subject: 1,
      discard: DiscardPolicy.Old,
    },
    leaseSettings(names, limits),
  ];
}

/** The stream of the lease alone: whoever finds it missing makes it. */
export function leaseSettings(names: LogNames, { replicas }: Pick<StreamLimits, "replicas">): StreamSettings {
  return {
    ...common(replicas),
    name: names.leaseStream,
    subjects: [names.leaseSubject],
    max_bytes: leaseBytesMax,
    // The last one counts; those before it are for who wonders.
    max_msgs: leaseMessagesMax,
    max_msgs_per_subject: -1,
    discard: DiscardPolicy.Old,
    deny_delete: true,
  };
}

function common(replicas: number): Omit<StreamSettings, "name"> {
  return {
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    num_replicas: replicas,
    max_age: 0,
    max_msgs: -1,
    allow_direct: true,
  };
}

function keptForEver(replicas: number): Omit<StreamSettings, "name"> {
  return { ...common(replicas), discard: DiscardPolicy.New, deny_delete: true };
}

/** Set when a stream is made, and never again (2.9; later servers can change `republish`). */
export const fixedSettings: readonly (keyof StreamConfig)[] = ["storage", "retention", "republish", "mirror"];

/** Settings that a server has otherwise than wanted, by name; none where all is as wanted. */
export function differingSettings(
  wanted: StreamSettings,
  actual: Partial<StreamConfig>,
): readonly (keyof StreamConfig)[] {
  return (Object.keys(wanted) as (keyof StreamConfig)[]).filter((key) => !covers(wanted[key], actual[key]));
}

/** Whether all that is wanted is there. A server may add to a setting what is empty. */
function covers(wanted: unknown, actual: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null) return wanted === actual || (isEmpty(wanted) && isEmpty(actual));
  if (typeof actual !== "object" || actual === null) return false;
  const keys = new Set([...Object.keys(wanted), ...Object.keys(actual)]);
  return [...keys].every((key) => covers(Reflect.get(wanted, key), Reflect.get(actual, key)));
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === "" || value === 0 || value === false || value === null;
}
