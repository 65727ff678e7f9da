import { Alert, Balance, ServerState } from "../../proto/gen/switchyard/config/v1/resources.ts";
import type { Action, Match, Resource } from "../../proto/gen/switchyard/config/v1/resources.ts";
import type { ResourceKind } from "../../model/resource-name.ts";
import { abridged, renderTable } from "./table.ts";

const headers: Record<ResourceKind, readonly string[]> = {
  listener: ["NAME", "ADDRESSES", "DEFAULT", "HELLO", "DEADLINE", "IDLE", "CONNECTIONS", "NON-TLS"],
  route: ["NAME", "SERVER NAMES", "ALPN", "SOURCES", "ACTION"],
  farm: ["NAME", "BALANCE", "CONNECT", "ATTEMPTS", "IDLE", "HALF-CLOSE"],
  server: ["NAME", "ADDRESS", "WEIGHT", "STATE", "BACKUP", "REGION"],
};

/** Resources of one kind as a table. */
export function resourceTable(kind: ResourceKind, resources: readonly Resource[]): string {
  return renderTable(headers[kind], resources.map(cells));
}

function cells({ kind }: Resource): readonly string[] {
  if (kind === undefined) return ["?"];
  const { name } = kind.value;
  switch (kind.$case) {
    case "listener": {
      const { addresses, defaultAction, helloBytesMax, helloDeadline, clientIdleTimeout, connectionsMax, nonTlsFarm } =
        kind.value;
      const limits = [bytesText(helloBytesMax), durationText(helloDeadline), durationText(clientIdleTimeout)];
      return [name, abridged(addresses), actionText(defaultAction), ...limits, String(connectionsMax), nonTlsFarm];
    }
    case "route": {
      const { match, action } = kind.value;
      const narrowed = [match?.alpnProtocols ?? [], match?.sourceNetworks ?? []].map((values) => abridged(values));
      return [name, serverNamesText(match), ...narrowed, actionText(action)];
    }
    case "farm": {
      const { balance, connectTimeout, connectAttemptsMax, serverIdleTimeout, halfCloseTimeout } = kind.value;
      const times = [durationText(serverIdleTimeout), durationText(halfCloseTimeout)];
      const policy = enumText(Balance, balance, "BALANCE_");
      return [name, policy, durationText(connectTimeout), String(connectAttemptsMax), ...times];
    }
    case "server": {
      const { address, weight, state, backup, region } = kind.value;
      const shown = enumText(ServerState, state, "SERVER_STATE_");
      return [name, address, weight === undefined ? "" : String(weight), shown, backup ? "yes" : "", region];
    }
  }
}

function serverNamesText(match: Match | undefined): string {
  const names = match?.serverNames ?? [];
  return abridged(match?.noServerName === true ? [...names, "(no name)"] : names);
}

function actionText(action: Action | undefined): string {
  const kind = action?.kind;
  if (kind === undefined) return "";
  return kind.$case === "reject" ? `reject ${enumText(Alert, kind.value.alert, "ALERT_")}` : kind.value;
}

/** `SERVER_STATE_READY` as `ready`. */
function enumText(names: Readonly<Record<string, number>>, value: number, prefix: string): string {
  const name = Object.keys(names).find((key) => names[key] === value) ?? String(value);
  return name.endsWith("_UNSPECIFIED") ? "" : name.replace(prefix, "").toLowerCase();
}

/** The largest unit that fits without a fraction: `90s`, `10m`, `1.5s`, `250ms`. */
export function durationText(duration: { readonly seconds: bigint; readonly nanos: number } | undefined): string {
  if (duration === undefined) return "";
  const ms = Number(duration.seconds) * 1000 + duration.nanos / 1e6;
  if (ms < 1000) return `${ms}ms`;
  for (const [unit, size] of [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
  ] as const)
    if (ms % size === 0) return `${ms / size}${unit}`;
  return `${ms / 1000}s`;
}

function bytesText(bytes: number): string {
  return bytes > 0 && bytes % 1024 === 0 ? `${bytes / 1024}KiB` : `${bytes}B`;
}
