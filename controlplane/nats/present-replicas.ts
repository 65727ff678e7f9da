import { NatsError, type NatsConnection } from "nats";
import type { LogNames } from "../../model/log-names.ts";

/** How many servers keep the log's stream now; undefined where there is none, or nobody answers. */
export async function presentReplicas(connection: NatsConnection, names: LogNames): Promise<number | undefined> {
  try {
    const manager = await connection.jetstreamManager({ checkAPI: false });
    return (await manager.streams.info(names.logStream)).config.num_replicas;
  } catch (error) {
    if (error instanceof NatsError) return undefined;
    throw error;
  }
}
