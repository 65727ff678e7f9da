import { startHttpsProbe } from "./https-probe.ts";
import type { ProbeEvents, ProbeRequest, RunningProbe } from "./probe.ts";
import { startTcpProbe } from "./tcp-probe.ts";
import { startTlsProbe } from "./tls-probe.ts";

/** Begins a check of whatever kind. Events come later, never while this runs. */
export function startProbe(request: ProbeRequest, events: ProbeEvents): RunningProbe {
  const { probe } = request;
  switch (probe.type) {
    case "tcp":
      return startTcpProbe(request, events);
    case "tls":
      return startTlsProbe(request, probe, events);
    case "https":
      return startHttpsProbe(request, probe, events);
    case "impossible": {
      const soon = setImmediate(() => {
        events.result(probe.result);
        events.ended([]);
      });
      return {
        abort: () => {
          clearImmediate(soon);
          setImmediate(() => events.ended([]));
        },
      };
    }
  }
}
