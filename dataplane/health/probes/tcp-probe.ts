import type { ProbeEvents, ProbeRequest, RunningProbe } from "./probe.ts";
import { ProbeConnection } from "./probe-connection.ts";

/** The connection is made, and closed. */
export function startTcpProbe(request: ProbeRequest, events: ProbeEvents): RunningProbe {
  const connection = new ProbeConnection(request, events, () => {
    connection.tell({ passed: true, certificateExpiryMs: null });
    connection.close();
  });
  return connection;
}
