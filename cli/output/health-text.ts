import { type NodeServerHealth, ServerHealthState } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { Timestamp } from "../../proto/gen/google/protobuf/timestamp.ts";
import { timeText } from "./message-json.ts";

const day = 24 * 3_600_000;

/** A certificate that ends sooner is a matter for somebody. */
const certificateWarningDays = 30;

/** What a node makes of a server that it does not send connections to. */
export function stateWord(state: ServerHealthState): string {
  switch (state) {
    case ServerHealthState.SERVER_HEALTH_STATE_UP:
      return "up";
    case ServerHealthState.SERVER_HEALTH_STATE_DOWN:
      return "down";
    case ServerHealthState.SERVER_HEALTH_STATE_EJECTED:
      return "ejected";
    case ServerHealthState.SERVER_HEALTH_STATE_SLOW_START:
      return "slow start";
    case ServerHealthState.SERVER_HEALTH_STATE_UNRESOLVED:
      return "unresolved";
    // Nodes of the first version do not say more.
    case ServerHealthState.SERVER_HEALTH_STATE_UNSPECIFIED:
      return "failing";
  }
}

/** `tls_alert: unknown_ca`. */
export function reasonText({ reason, detail }: Pick<NodeServerHealth, "reason" | "detail">): string {
  return detail === "" ? reason : `${reason}: ${detail}`;
}

/** The day on which a certificate ends; in capitals where that is soon. */
export function certificateText(expiry: Timestamp | undefined, nowMs: number): string {
  if (expiry === undefined) return "";
  const date = timeText(expiry).slice(0, 10);
  const daysLeft = Math.floor((Number(expiry.seconds) * 1000 - nowMs) / day);
  if (daysLeft < 0) return `EXPIRED ${date}`;
  return daysLeft < certificateWarningDays ? `EXPIRES ${date} (${daysText(daysLeft)})` : date;
}

function daysText(days: number): string {
  return days === 0 ? "today" : days === 1 ? "1 day" : `${days} days`;
}
