import type { SecureContext, TLSSocket } from "node:tls";
import { type SocketAddress } from "../../../model/address.ts";
import type { HttpProbe, TlsProbe } from "../../../model/farm-policy.ts";
import { checkFailed } from "../check-result.ts";
import { HttpAnswerReader } from "./http-answer.ts";
import type { ProbeEvents, ProbeRequest, RunningProbe } from "./probe.ts";
import { ProbeConnection } from "./probe-connection.ts";
import { shakeHands } from "./tls-probe.ts";

export interface HttpsParts {
  readonly tls: TlsProbe;
  readonly context: SecureContext;
  readonly http: HttpProbe;
}

/** An HTTP/1.1 request over TLS; the status tells, and the body is not waited for. */
export function startHttpsProbe(request: ProbeRequest, parts: HttpsParts, events: ProbeEvents): RunningProbe {
  const { tls, context, http } = parts;
  const connection = new ProbeConnection(request, events, () => {
    shakeHands(connection, {
      tls,
      context,
      finished: (socket, certificateExpiryMs) => ask(socket, certificateExpiryMs),
      session: () => undefined,
    });
  });
  const isExpected = (status: number): boolean =>
    http.expectedStatuses.some(({ first, last }) => status >= first && status <= last);

  function ask(socket: TLSSocket, certificateExpiryMs: number | null): void {
    connection.phase = "http";
    if (socket.alpnProtocol === "h2") {
      connection.tell(checkFailed("http_protocol", "it chose h2, and the check speaks HTTP/1.1", certificateExpiryMs));
      return;
    }
    const reader = new HttpAnswerReader(isExpected);
    socket.on("data", (bytes) => {
      if (connection.isTold) return;
      const answer = reader.push(bytes);
      if (answer.outcome === "incomplete") return;
      if (answer.outcome === "malformed")
        connection.tell(checkFailed("http_protocol", answer.detail, certificateExpiryMs));
      else if (!isExpected(answer.status))
        connection.tell(checkFailed("http_status", String(answer.status), certificateExpiryMs));
      else {
        connection.tell({ passed: true, certificateExpiryMs });
        connection.end();
      }
    });
    socket.write(requestText(http, tls, request.address));
  }
  return connection;
}

function requestText({ method, path, host }: HttpProbe, tls: TlsProbe, address: SocketAddress): string {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${[host, tls.serverName, address].find((each) => each !== "") ?? ""}`,
    "User-Agent: switchyard-check",
    "Accept: */*",
    "Connection: close",
  ];
  // A request that could have a body says that it has none (RFC 9110 section 8.6).
  if (method !== "GET" && method !== "HEAD") lines.push("Content-Length: 0");
  return `${lines.join("\r\n")}\r\n\r\n`;
}
