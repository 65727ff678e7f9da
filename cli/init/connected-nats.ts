import { connectNats } from "../../controlplane/nats/connect.ts";
import { NatsUnusable } from "../../controlplane/nats/server-version.ts";
import { type LogNames, logNames } from "../../model/log-names.ts";
import { CliFailure } from "../cli-failure.ts";
import { exitCode } from "../exit-code.ts";

const connectTimeoutMs = 5000;

export type Connection = Awaited<ReturnType<typeof connectNats>>;

/** A connection for one verb, to be closed by it. @throws CliFailure with what the user should read */
export async function connectedNats(servers: string, name: string): Promise<Connection> {
  try {
    return await connectNats({ servers, name, timeoutMs: connectTimeoutMs });
  } catch (error) {
    if (error instanceof RangeError) throw new CliFailure(exitCode.usage, `--nats: ${messageOf(error)}`);
    if (error instanceof NatsUnusable) throw new CliFailure(exitCode.failed, messageOf(error));
    throw new CliFailure(exitCode.unreachable, `NATS can't be reached, or refuses us: ${messageOf(error)}`);
  }
}

/** @throws CliFailure where the namespace can't be one */
export function namesOf(namespace: string): LogNames {
  try {
    return logNames(namespace);
  } catch (error) {
    throw new CliFailure(exitCode.usage, messageOf(error));
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
