import { connect, type NatsConnection } from "nats";
import { parseNatsUrls } from "../../model/nats-servers.ts";
import { checkServerVersion } from "./server-version.ts";

/** A server that is asked this often whether it lives, and owes two answers, is dead: noticed within 6 s. */
const pingIntervalMs = 2000;
const pingsOwedMax = 2;

/** Between two attempts to reach a server: the first plus up to the second, so that a fleet does not storm. */
const reconnectWaitMs = 250;
const reconnectJitterMs = 500;

const connectTimeoutMsDefault = 5000;

export interface NatsConnectOptions {
  /** `nats://HOST:PORT`, several with commas between; `tls://` for TLS; `nats://USER:PASSWORD@HOST:PORT`. */
  readonly servers: string;
  /** Who this is, in the server's logs. */
  readonly name: string;
  /** Where answers come back: the permissions of a replica or a node can name it. Default: the library's `_INBOX`. */
  readonly inboxPrefix?: string;
  /** Of one attempt. Default 5 s. */
  readonly timeoutMs?: number;
  /** Keep trying where no server answers at first, instead of rejecting. */
  readonly waitForServer?: boolean;
}

/**
 * The one way in which the control plane connects: whatever happens to the server later, the connection comes back by
 * itself. Requests reject meanwhile.
 *
 * @throws NatsUnusable where the server's version can't keep the log's promises, RangeError for a URL that is none, and
 * the library's NatsError where no server answers (unless `waitForServer`) or the credentials are refused
 */
export async function connectNats(options: NatsConnectOptions): Promise<NatsConnection> {
  const { name, inboxPrefix, timeoutMs = connectTimeoutMsDefault, waitForServer = false } = options;
  const connection = await connect({
    ...parseNatsUrls(options.servers),
    name,
    ...(inboxPrefix === undefined ? {} : { inboxPrefix }),
    timeout: timeoutMs,
    waitOnFirstConnect: waitForServer,
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectWaitMs,
    reconnectJitter: reconnectJitterMs,
    reconnectJitterTLS: reconnectJitterMs,
    // A server that comes up before its accounts do refuses for a moment.
    ignoreAuthErrorAbort: true,
    pingInterval: pingIntervalMs,
    maxPingOut: pingsOwedMax,
    // An error made for each request, in case it fails, was 6% of what an append takes.
    noAsyncTraces: true,
  });
  try {
    checkServerVersion(connection.info?.version ?? "");
  } catch (error) {
    await connection.close();
    throw error;
  }
  return connection;
}
