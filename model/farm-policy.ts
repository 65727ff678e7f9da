/** The parts of a farm's policy, as both planes see them. What a field means stands in `resources.proto`. */

export const balanceNames = [
  "round_robin",
  "least_connections",
  "power_of_two",
  "source_hash",
  "maglev_source",
  "maglev_server_name",
  "first",
  "random",
] as const;
export type BalanceName = (typeof balanceNames)[number];

export interface AffinityPolicy {
  readonly tlsSessions: "follow" | "ignore";
  readonly fallback: "none" | "source";
  readonly sessionIdsMax: number;
  readonly sessionIdLifetimeMs: number;
  readonly ticketNameLifetimeMs: number;
  readonly drain: "honour" | "leave";
  /** Bits. */
  readonly sourcePrefixV4: number;
  readonly sourcePrefixV6: number;
}

export const affinityDefaults: AffinityPolicy = {
  tlsSessions: "follow",
  fallback: "none",
  sessionIdsMax: 30_000,
  sessionIdLifetimeMs: 30 * 60_000,
  ticketNameLifetimeMs: 7 * 24 * 3_600_000,
  drain: "honour",
  sourcePrefixV4: 32,
  sourcePrefixV6: 56,
};

export interface HealthCheck {
  readonly probe: Probe;
  readonly intervalMs: number;
  readonly fastIntervalMs: number;
  readonly jitterPercent: number;
  readonly timeoutMs: number;
  readonly rise: number;
  readonly fall: number;
  /** Null for the server's own. */
  readonly port: number | null;
}

export type Probe =
  | { readonly type: "tcp" }
  | { readonly type: "tls"; readonly tls: TlsProbe }
  | { readonly type: "https"; readonly tls: TlsProbe; readonly http: HttpProbe };

export interface TlsProbe {
  /** Empty: no name is sent. */
  readonly serverName: string;
  readonly alpnProtocols: readonly string[];
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  readonly verify: boolean;
  /** PEM; empty for the system's. */
  readonly caCertificates: string;
}

export type TlsVersion = "TLSv1.2" | "TLSv1.3";

export interface HttpProbe {
  readonly method: string;
  readonly path: string;
  /** Empty: the server name, or the server's address. */
  readonly host: string;
  readonly expectedStatuses: readonly StatusRange[];
}

/** Both ends are in it. */
export interface StatusRange {
  readonly first: number;
  readonly last: number;
}

export interface PassiveHealthPolicy {
  readonly failures: number;
  readonly ejectionMinMs: number;
  readonly ejectionMaxMs: number;
  readonly ejectedMaxPercent: number;
}

export const passiveHealthDefaults: PassiveHealthPolicy = {
  failures: 1,
  ejectionMinMs: 1000,
  ejectionMaxMs: 30_000,
  ejectedMaxPercent: 50,
};

export interface LocalityPolicy {
  readonly regions: readonly string[];
  readonly spillBelowPercent: number;
}

export interface QueuePolicy {
  readonly lengthMax: number;
  readonly timeoutMs: number;
}

export const queueDefaults: QueuePolicy = { lengthMax: 1000, timeoutMs: 5000 };

export interface ProxyProtocolPolicy {
  readonly version: 1 | 2;
  /** Each once, in the order of the proto; empty for version 1. */
  readonly tlvs: readonly ProxyTlv[];
}

export type ProxyTlv = "alpn" | "authority" | "crc32c" | "unique_id";

/** Less than this share of healthy servers, and health is not looked at. */
export const panicThresholdDefault = 1;

/** What a farm has where nothing is said of it: the fields that came after the first version. */
export const farmPolicyDefaults = {
  hashBalanceFactor: 0,
  affinity: affinityDefaults,
  healthCheck: null,
  passiveHealth: passiveHealthDefaults,
  slowStartMs: 0,
  onMarkedDown: "keep",
  panicThreshold: panicThresholdDefault,
  locality: null,
  queue: queueDefaults,
  proxyProtocol: null,
  sourceTransparent: false,
  onServerRemoved: "keep",
} as const;
