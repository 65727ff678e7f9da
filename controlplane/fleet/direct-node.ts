import type {
  Directive,
  DirectiveResult,
  DirectNodeRequest,
  DirectNodeResponse,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { Refused } from "../admin/refused.ts";
import { type DirectiveDesk, type DirectiveOutcome, directivesPerNodeMax, directiveTimeoutMs } from "./directives.ts";
import type { FleetBus } from "./fleet-bus.ts";
import type { FleetView } from "./fleet-view.ts";

/** Beyond the node's own time: for the way to another replica and back. */
const busAllowanceMs = 1000;

const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];
const dumpLimitDefault = 1000;
const dumpLimitMax = 10_000;

export interface DirectParts {
  readonly view: FleetView;
  readonly desk: DirectiveDesk;
  readonly bus: FleetBus | undefined;
}

/** Has a node do something, whichever replica holds its session. */
export async function directNode(parts: DirectParts, request: DirectNodeRequest): Promise<DirectNodeResponse> {
  const { view, desk, bus } = parts;
  const { name } = request;
  const action = checkedAction(request.directive?.action);
  const id = name.startsWith("nodes/") ? name.slice("nodes/".length) : "";
  const session = desk.of(id);
  if (session !== undefined) return { result: resultOf(name, await session.ask(action)) };
  const node = view.find(id);
  if (node === undefined) {
    const description = `there is no ${JSON.stringify(name.slice(0, 80))}`;
    throw Refused.by("NOT_FOUND", [{ field: "name", reason: "unknown_reference", description }]);
  }
  if (!node.connected || bus === undefined)
    throw new Refused("NODE_UNAVAILABLE", `${name} is not connected; it was last heard of by replica ${node.replica}`);
  const result = await bus.direct(id, { id: "", action }, directiveTimeoutMs + busAllowanceMs);
  if (result !== undefined) return { result };
  const why = `replica ${node.replica}, which holds its session, had no answer from it in time`;
  throw new Refused("NODE_UNAVAILABLE", `${name}: ${why}; whether it was done is not known`);
}

/** Takes directives that other replicas hand over for nodes whose session is here. Returns the way to stop. */
export function takeDirectives(bus: FleetBus, desk: DirectiveDesk): () => void {
  return bus.onDirective((nodeId, { action }) =>
    desk
      .of(nodeId)
      ?.ask(action)
      .then((outcome) => resultOf(`nodes/${nodeId}`, outcome)),
  );
}

function resultOf(name: string, outcome: DirectiveOutcome): DirectiveResult {
  switch (outcome.outcome) {
    case "answered":
      return outcome.result;
    case "timeout":
      throw new Refused(
        "NODE_UNAVAILABLE",
        `${name} did not answer within ${directiveTimeoutMs / 1000} s; whether it was done is not known`,
      );
    case "session_over":
      throw new Refused("NODE_UNAVAILABLE", `${name} left before it answered; whether it was done is not known`);
    case "too_many":
      throw new Refused(
        "TOO_MANY",
        `${name} has ${directivesPerNodeMax} directives before it that it has not answered`,
      );
  }
}

function checkedAction(action: Directive["action"]): NonNullable<Directive["action"]> {
  const refused = (field: string, reason: "required" | "out_of_range", description: string): Refused =>
    Refused.by("INVALID_FIELD", [{ field: `directive.${field}`, reason, description }]);
  if (action === undefined) throw refused("action", "required", "what the node is to do");
  if (action.$case === "setLogLevel" && !logLevels.includes(action.value.level))
    throw refused("set_log_level.level", "out_of_range", `one of ${logLevels.join(", ")}`);
  if (action.$case !== "dumpTable") return action;
  const { limit } = action.value;
  if (limit < 0 || limit > dumpLimitMax) throw refused("dump_table.limit", "out_of_range", `1 to ${dumpLimitMax}`);
  return { $case: "dumpTable", value: { ...action.value, limit: limit === 0 ? dumpLimitDefault : limit } };
}
