import { type ServerDuplexStream, status } from "@grpc/grpc-js";
import { durationToWire } from "../../model/wire/resource-to-wire.ts";
import type { SessionRequest, SessionResponse } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { FleetView } from "./fleet-view.ts";
import { helloFault, reportFault } from "./session-limits.ts";

/** How often a node is asked to report when nothing changes. */
const reportIntervalMs = 1000;

/** What sessions work on. */
export interface SessionParts {
  readonly view: FleetView;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly softwareVersion: string;
  /** Aborts when the server stops: sessions end then. */
  readonly stopping: AbortSignal;
}

/**
 * Holds one node's session. A node that breaks the protocol is cut off with INVALID_ARGUMENT, one too many with
 * RESOURCE_EXHAUSTED; the others are not touched. What comes after the cut, as it was on its way, is not looked at.
 */
export function holdSession(parts: SessionParts, call: ServerDuplexStream<SessionRequest, SessionResponse>): void {
  const { view, now, softwareVersion, stopping } = parts;
  let node: { readonly id: string; readonly session: symbol } | undefined;
  let over = false;
  const leave = (): void => {
    over = true;
    stopping.removeEventListener("abort", finish);
    if (node !== undefined) view.disconnect(node.id, node.session);
    node = undefined;
  };
  const finish = (): void => {
    leave();
    call.end();
  };
  const refuse = (details: string, code = status.INVALID_ARGUMENT): void => {
    leave();
    call.emit("error", { code, details });
  };
  call.on("data", ({ message }: SessionRequest) => {
    if (over) return;
    switch (message?.$case) {
      case "hello": {
        const problem = node === undefined ? helloFault(message.value) : "a second hello";
        if (problem !== undefined) return refuse(problem);
        const session = view.connect(message.value, now());
        if (session === undefined) return refuse("there are too many nodes already", status.RESOURCE_EXHAUSTED);
        node = { id: message.value.nodeId, session };
        const welcome = { softwareVersion, replica: "", reportInterval: durationToWire(reportIntervalMs) };
        call.write({ message: { $case: "welcome", value: welcome } });
        return;
      }
      case "report": {
        if (node === undefined) return refuse("a report before the hello");
        const problem = reportFault(message.value);
        if (problem !== undefined) return refuse(problem);
        view.report(node.id, node.session, message.value, now());
        return;
      }
      case undefined:
        // A newer node says something that this control plane does not know: ignored, as the contract asks.
        return;
    }
  });
  call.on("end", finish);
  call.on("cancelled", leave);
  call.on("error", leave);
  stopping.addEventListener("abort", finish);
  if (stopping.aborted) finish();
}
