import { DiscardPolicy, type JetStreamManager, type NatsConnection, RetentionPolicy, StorageType } from "nats";
import type { LogNames } from "../../model/log-names.ts";
import { NatsUnusable } from "./server-version.ts";
import { snapshotBytesMaxDefault, type StreamSettings } from "./stream-settings.ts";
import { configOf, type EnsuredStream, ensureStream, managerOf } from "./streams.ts";

/** The hub is asked through the region's link. */
const hubTimeoutMs = 5000;

export interface Region {
  /** Also the JetStream domain of its leaf server. */
  readonly region: string;
  /** The JetStream domain of the hub. */
  readonly hubDomain: string;
  /** Servers of the region that keep each message. */
  readonly replicas: number;
}

/**
 * Makes a region's mirrors of the log's streams, under the same names: they are read when the link to the hub is cut. The
 * connection is to the region's leaf server. Idempotent.
 *
 * A mirror goes on by number when the hub's stream was made anew, as a rebuilt log is, and may keep commits of the old one
 * that the new one does not have. So a mirror says in its description which stream it mirrors, and one of an earlier stream
 * is made anew; its nodes keep what they serve meanwhile.
 *
 * @throws NatsUnusable as `ensureStreams`; where the server is not that region's; where the hub's streams can't be read
 */
export async function ensureMirrors(
  connection: NatsConnection,
  names: LogNames,
  region: Region,
): Promise<readonly EnsuredStream[]> {
  const manager = await managerOf(connection);
  const { domain } = await manager.getAccountInfo();
  // On the hub itself a mirror would take the name of a stream.
  if (domain !== region.region || domain === region.hubDomain)
    throw new NatsUnusable(
      `the server's JetStream domain is ${domain === undefined ? "none" : JSON.stringify(domain)}: region ${region.region} needs a leaf server of that domain, which is not the hub's`,
    );
  const hub = await connection.jetstreamManager({ domain: region.hubDomain, timeout: hubTimeoutMs, checkAPI: false });
  const ensured: EnsuredStream[] = [];
  for (const name of [names.logStream, names.blobStream, names.snapshotStream])
    ensured.push(await ensureMirror(manager, mirrorSettings(names, name, region, await madeAt(hub, name, region))));
  return ensured;
}

async function ensureMirror(manager: JetStreamManager, wanted: StreamSettings): Promise<EnsuredStream> {
  const present = await configOf(manager, wanted.name);
  const ofEarlier = present?.mirror !== undefined && present.description !== wanted.description;
  if (!ofEarlier) return ensureStream(manager, wanted);
  await manager.streams.delete(wanted.name);
  return { ...(await ensureStream(manager, wanted)), outcome: "made anew" };
}

/** When the hub's stream was made: two streams of one name differ in it. */
async function madeAt(hub: JetStreamManager, stream: string, { hubDomain }: Region): Promise<string> {
  try {
    return (await hub.streams.info(stream)).created;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new NatsUnusable(
      `stream ${stream} of the hub (JetStream domain ${hubDomain}) can't be read: is the link up, and was \`init nats\` run there? (${why})`,
    );
  }
}

function mirrorSettings(
  names: LogNames,
  name: string,
  { hubDomain, replicas }: Region,
  originMadeAt: string,
): StreamSettings {
  return {
    name,
    description: `mirror of the hub's stream that was made at ${originMadeAt}`,
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    num_replicas: replicas,
    max_age: 0,
    max_msgs: -1,
    max_msgs_per_subject: name === names.logStream ? -1 : 1,
    // What the origin drops a mirror keeps: the one that is a ring must be one here too.
    ...(name === names.snapshotStream ? { max_bytes: snapshotBytesMaxDefault, discard: DiscardPolicy.Old } : {}),
    allow_direct: true,
    mirror_direct: true,
    // No republish: nodes hear the hub's feed through the link, and would hear it twice.
    mirror: { name, external: { api: `$JS.${hubDomain}.API`, deliver: "" } },
  };
}
