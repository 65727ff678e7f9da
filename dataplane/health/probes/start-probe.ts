import { answeredProbe } from "./answered-probe.ts";
import { startHttpsProbe } from "./https-probe.ts";
import type { PreparedProbe, ProbeEvents, ProbeRequest, RunningProbe } from "./probe.ts";
import { startTcpProbe } from "./tcp-probe.ts";
import { startTlsProbe } from "./tls-probe.ts";

/** Begins a check of whatever kind. Events come later, never while this runs. */
export function startProbe(probe: PreparedProbe, request: ProbeRequest, events: ProbeEvents): RunningProbe {
  switch (probe.type) {
    case "tcp":
      return startTcpProbe(request, events);
    case "tls":
      return startTlsProbe(request, probe, events);
    case "https":
      return startHttpsProbe(request, probe, events);
    case "impossible":
      return answeredProbe(probe.result, events);
  }
}
