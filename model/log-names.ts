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
  /** Who of the replicas acts for all of them: the last message says it. Control planes alone read and write it. */
  readonly leaseStream: string;
  readonly leaseSubject: string;
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

/** Where the nodes of one region tell each other what they learnt of TLS sessions. */
export interface LearntSubjects {
  /** For all of them. */
  readonly news: string;
  /** A question to any one of them, which are in one queue group for that. */
  readonly question: string;
  readonly questionQueue: string;
  /** Answers to the node that asked, by its token. */
  answers(nodeToken: string): string;
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
    leaseStream: `${stream}_LEASE`,
    leaseSubject: `${namespace}.lease`,
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

/** Regions are any text; the subjects of two of them are never the same, nor one below the other. */
export function learntSubjects({ namespace }: LogNames, region: string): LearntSubjects {
  const base = `${namespace}.learnt.${regionToken(region)}`;
  return {
    news: `${base}.news`,
    question: `${base}.ask`,
    questionQueue: "answerers",
    answers: (nodeToken) => `${base}.to.${nodeToken}`,
  };
}

/** The part of a subject that stands for a node: its id, with `_` for each dot, as in the name of its inbox. */
export function nodeToken(nodeId: string): string {
  return nodeId.replaceAll(".", "_");
}

/** Whether it is the token of some node, so that a subject can be made of it. */
export function isNodeToken(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,128}$/.test(text);
}

/** One token of a subject: letters, digits, `_` and `-` as they are, `=` with two digits for each other byte of UTF-8. */
function regionToken(region: string): string {
  if (region === "") return "=";
  const bytes = new TextEncoder().encode(region);
  return Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9_-]/.test(character) ? character : `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
