import { NatsError, type NatsConnection } from "nats";
import type { LogNames } from "../../model/log-names.ts";
import { LogStream } from "./log-stream.ts";

/** How many commits the log's stream has; 0 where there is no stream. @throws NatsError where nobody answers */
export async function presentEnd(connection: NatsConnection, names: LogNames): Promise<number> {
  const end = await (await LogStream.of(connection, names)).end();
  return end.stream === "missing" ? 0 : end.last;
}

/** How many servers keep the log's stream now; undefined where there is none, or nobody answers. */
export async function presentReplicas(connection: NatsConnection, names: LogNames): Promise<number | undefined> {
  try {
    const end = await (await LogStream.of(connection, names)).end();
    return end.stream === "missing" ? undefined : end.replicas;
  } catch (error) {
    if (error instanceof NatsError) return undefined;
    throw error;
  }
}
