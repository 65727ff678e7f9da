import { connect, type NatsConnection } from "nats";
import { nodeToken } from "../../model/log-names.ts";
import { parseNatsUrls } from "../../model/nats-servers.ts";

/** A server that is asked this often whether it lives, and owes two answers, is dead: noticed within 6 s. */
const pingIntervalMs = 2000;
const pingsOwedMax = 2;

/** Between two attempts to reach a server: the first plus up to the second, so that a fleet does not storm. */
const reconnectWaitMs = 150;
const reconnectJitterMs = 350;

const connectTimeoutMs = 3000;

export interface NodeConnectOptions {
  /** `nats://HOST:PORT`, several with commas between; `tls://` for TLS; `nats://USER:PASSWORD@HOST:PORT`. */
  readonly servers: string;
  readonly nodeId: string;
  /** What the connection publishes does not come back on its own subscriptions. */
  readonly noEcho?: boolean;
}

/**
 * A node's connection: once made, it comes back by itself for ever. Answers come to an inbox of the node's own, so that
 * its permissions can name it.
 *
 * @throws RangeError for a URL that is none; the library's NatsError where no server answers
 */
export async function connectNode({ servers, nodeId, noEcho = false }: NodeConnectOptions): Promise<NatsConnection> {
  return connect({
    ...parseNatsUrls(servers),
    name: `node ${nodeId}`,
    inboxPrefix: inboxPrefix(nodeId),
    noEcho,
    timeout: connectTimeoutMs,
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectWaitMs,
    reconnectJitter: reconnectJitterMs,
    reconnectJitterTLS: reconnectJitterMs,
    ignoreAuthErrorAbort: true,
    pingInterval: pingIntervalMs,
    maxPingOut: pingsOwedMax,
    // An error made for each request, in case it fails, was 6% of what an append takes.
    noAsyncTraces: true,
  });
}

/** A dot would make several tokens of it, and permissions hard to read. */
export function inboxPrefix(nodeId: string): string {
  return `_INBOX_${nodeToken(nodeId)}`;
}
