import { type MsgHdrs, type NatsConnection, NatsError } from "nats";

/** A message as a direct get answers with it. */
export interface DirectMessage {
  readonly sequence: number;
  readonly headers: MsgHdrs;
  readonly data: Uint8Array;
}

/**
 * Reads one message of a stream from any server that keeps it, mirrors too (ADR-31 of nats-architecture-and-design).
 * Undefined where that server does not have it, which one that lags may be wrong about.
 *
 * By sequence it answers with the next message where there is none under the number: compare the sequence.
 *
 * @throws NatsError where nobody answers: also where there is no such stream
 */
export async function directGet(
  connection: NatsConnection,
  stream: string,
  what: { readonly sequence: number } | { readonly lastOf: string },
  timeoutMs: number,
): Promise<DirectMessage | undefined> {
  const subject = `$JS.API.DIRECT.GET.${stream}`;
  const message =
    "sequence" in what
      ? await connection.request(subject, JSON.stringify({ seq: what.sequence }), { timeout: timeoutMs })
      : await connection.request(`${subject}.${what.lastOf}`, "", { timeout: timeoutMs });
  const { headers, data } = message;
  if (headers === undefined || headers.code >= 300) {
    if (headers?.code === 404) return undefined;
    const code = String(headers?.code ?? "");
    throw new NatsError(`a direct get of ${stream} is answered ${code} ${headers?.description ?? ""}`, code);
  }
  return { sequence: Number(headers.get("Nats-Sequence")), headers, data };
}
