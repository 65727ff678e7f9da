import {
  AffinityFallback,
  Alert,
  Balance,
  ProxyVersion,
  ServerState,
  TlsSessions,
} from "../../proto/gen/switchyard/config/v1/resources.ts";
import type {
  Action,
  Affinity,
  HealthCheck,
  Match,
  ProxyProtocol,
  Resource,
} from "../../proto/gen/switchyard/config/v1/resources.ts";
import type { ResourceKind } from "../../model/resource-name.ts";
import { durationText } from "./duration-text.ts";
import { policyCells } from "./policy-text.ts";
import { abridged, renderTable } from "./table.ts";

const headers: Record<ResourceKind, readonly string[]> = {
  listener: ["NAME", "ADDRESSES", "DEFAULT", "HELLO", "DEADLINE", "IDLE", "CONNECTIONS", "NON-TLS", "PROXY FROM"],
  route: ["NAME", "SERVER NAMES", "ALPN", "SOURCES", "ACTION"],
  farm: ["NAME", "BALANCE", "AFFINITY", "CHECK", "CONNECT", "ATTEMPTS", "IDLE", "HALF-CLOSE", "PROXY"],
  server: ["NAME", "ADDRESS", "WEIGHT", "STATE", "BACKUP", "REGION", "MAX"],
  rolloutPolicy: ["NAME", "STRATEGY", "WAVES", "BAKE", "ON FAILURE", "STARTS"],
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
      const proxies = abridged(kind.value.proxyNetworks);
      return [
        name,
        abridged(addresses),
        actionText(defaultAction),
        ...limits,
        String(connectionsMax),
        nonTlsFarm,
        proxies,
      ];
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
      const attempts = String(connectAttemptsMax);
      const policies = [policy, affinityText(kind.value.affinity), checkText(kind.value.healthCheck)];
      return [name, ...policies, durationText(connectTimeout), attempts, ...times, proxyText(kind.value.proxyProtocol)];
    }
    case "server": {
      const { address, weight, state, backup, region, connectionsMax } = kind.value;
      const shown = enumText(ServerState, state, "SERVER_STATE_");
      const max = connectionsMax === 0 ? "" : String(connectionsMax);
      return [name, address, weight === undefined ? "" : String(weight), shown, backup ? "yes" : "", region, max];
    }
    case "rolloutPolicy":
      return [name, ...policyCells(kind.value.staged)];
  }
}

/** What keeps a client on its server: TLS sessions, its address, both in that order, or nothing. */
function affinityText(affinity: Affinity | undefined): string {
  if (affinity === undefined) return "";
  const kept = [
    ...(affinity.tlsSessions === TlsSessions.TLS_SESSIONS_IGNORE ? [] : ["tls"]),
    ...(affinity.fallback === AffinityFallback.AFFINITY_FALLBACK_SOURCE ? ["source"] : []),
  ];
  return kept.join(",") || "none";
}

function checkText(check: HealthCheck | undefined): string {
  return check === undefined ? "" : `${check.kind?.$case ?? ""} ${durationText(check.interval)}`.trim();
}

function proxyText(proxy: ProxyProtocol | undefined): string {
  if (proxy === undefined) return "";
  return proxy.version === ProxyVersion.PROXY_VERSION_1 ? "v1" : "v2";
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
export function enumText(names: Readonly<Record<string, number>>, value: number, prefix: string): string {
  const name = Object.keys(names).find((key) => names[key] === value) ?? String(value);
  return name.endsWith("_UNSPECIFIED") ? "" : name.replace(prefix, "").toLowerCase();
}

function bytesText(bytes: number): string {
  return bytes > 0 && bytes % 1024 === 0 ? `${bytes / 1024}KiB` : `${bytes}B`;
}
