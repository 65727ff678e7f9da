/** How streams and subjects of one installation are called; several may share a NATS account under other namespaces. */
export interface LogNames {
  readonly namespace: string;
  /** One message is one commit, and its sequence the commit's revision. */
  readonly logStream: string;
  readonly logSubject: string;
  /** Where the server republishes what the log's stream has taken: the subject that nodes follow. */
  readonly feedSubject: string;
  /** Bodies of commits that are too large for a message, in chunks; kept as long as the log. */
  readonly blobStream: string;
  /** Snapshots in chunks, and the pointer to the newest; the oldest are dropped. */
  readonly snapshotStream: string;
  readonly snapshotPointerSubject: string;
  /** Each replica's word on where the log ends, each second. */
  readonly beaconSubject: string;
  /** Asked by a replica: every other one answers where its own copy of the log ends. */
  readonly headsSubject: string;
  /** What replicas tell each other of the nodes that they hold sessions with. */
  readonly fleetSubject: string;
  /** Asks every replica for its whole part of the fleet. */
  readonly fleetSyncSubject: string;
  /** Directives to nodes of other replicas. */
  readonly directiveSubject: string;
}

export const namespaceDefault = "switchyard";

const namespacePattern = /^[a-z][a-z0-9_]{0,31}$/;

/** @throws RangeError where the namespace is not 1 to 32 of a-z, 0-9 and _, beginning with a letter */
export function logNames(namespace: string = namespaceDefault): LogNames {
  if (!namespacePattern.test(namespace))
    throw new RangeError(
      `the namespace ${JSON.stringify(namespace.slice(0, 80))} is not 1 to 32 of a-z, 0-9 and _, beginning with a letter`,
    );
  const stream = namespace.toUpperCase();
  return {
    namespace,
    logStream: `${stream}_LOG`,
    logSubject: `${namespace}.log`,
    feedSubject: `${namespace}.feed`,
    blobStream: `${stream}_BLOBS`,
    snapshotStream: `${stream}_SNAPSHOTS`,
    snapshotPointerSubject: `${namespace}.snapshot.newest`,
    beaconSubject: `${namespace}.beacon`,
    headsSubject: `${namespace}.replica.heads`,
    fleetSubject: `${namespace}.fleet.update`,
    fleetSyncSubject: `${namespace}.fleet.sync`,
    directiveSubject: `${namespace}.fleet.directive`,
  };
}

/** The subject of one chunk of a large commit's body; `hash` is the commit's. */
export function blobChunkSubject(names: LogNames, hash: Uint8Array, index: number): string {
  return `${names.namespace}.blob.${hex(hash)}.${index}`;
}

/** The subject of one chunk of a snapshot. */
export function snapshotChunkSubject(names: LogNames, revision: number, hash: Uint8Array, index: number): string {
  return `${names.namespace}.snapshot.chunk.${revision}.${hex(hash).slice(0, 16)}.${index}`;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
