import type { HostAddress, IpAddress, Network, SocketAddress } from "./address.ts";
import type { AlertName } from "./alert.ts";
import type {
  AffinityPolicy,
  BalanceName,
  HealthCheck,
  LocalityPolicy,
  PassiveHealthPolicy,
  ProxyProtocolPolicy,
  QueuePolicy,
} from "./farm-policy.ts";
import type {
  FarmName,
  ListenerName,
  ResourceKind,
  RolloutPolicyName,
  RouteName,
  ServerResourceName,
} from "./resource-name.ts";
import type { StagedRelease } from "./rollout-policy.ts";
import type { ServerName } from "./server-name.ts";
import type { ServerNamePattern } from "./server-name-pattern.ts";

/**
 * The resources as both planes see them: parsed, normalised, every default filled in. Values are plain, immutable and
 * comparable by their canonical text (`canonical.ts`). What a field means, its range and its default stand in
 * `proto/switchyard/config/v1/resources.proto`.
 */
export interface Listener {
  readonly kind: "listener";
  readonly name: ListenerName;
  readonly addresses: readonly SocketAddress[];
  readonly helloBytesMax: number;
  readonly helloDeadlineMs: number;
  readonly clientIdleTimeoutMs: number;
  readonly connectionsMax: number;
  readonly defaultAction: Action;
  readonly nonTlsFarm: FarmName | null;
  /** Of balancers in front, which begin their connections with a PROXY protocol header. */
  readonly proxyNetworks: readonly Network[];
}

export interface Route {
  readonly kind: "route";
  readonly name: RouteName;
  readonly match: Match;
  readonly action: Action;
}

/** At least one name or `noServerName`. Empty `alpnProtocols` or `sourceNetworks` do not narrow. */
export interface Match {
  readonly serverNames: readonly ServerNamePattern[];
  readonly noServerName: boolean;
  readonly alpnProtocols: readonly string[];
  readonly sourceNetworks: readonly Network[];
}

export type Action =
  | { readonly to: "farm"; readonly farm: FarmName }
  | { readonly to: "server"; readonly server: ServerResourceName }
  | { readonly to: "reject"; readonly alert: AlertName };

export interface Farm {
  readonly kind: "farm";
  readonly name: FarmName;
  readonly balance: BalanceName;
  readonly connectTimeoutMs: number;
  readonly connectAttemptsMax: number;
  readonly serverIdleTimeoutMs: number;
  readonly halfCloseTimeoutMs: number;
  /** Percent of a server's part; 0 for no bound. */
  readonly hashBalanceFactor: number;
  readonly affinity: AffinityPolicy;
  readonly healthCheck: HealthCheck | null;
  readonly passiveHealth: PassiveHealthPolicy;
  /** 0 for none. */
  readonly slowStartMs: number;
  readonly onMarkedDown: "keep" | "close";
  /** Percent. */
  readonly panicThreshold: number;
  readonly locality: LocalityPolicy | null;
  readonly queue: QueuePolicy;
  readonly proxyProtocol: ProxyProtocolPolicy | null;
  readonly sourceTransparent: boolean;
  /** Connections to a server that the configuration no longer has. */
  readonly onServerRemoved: "keep" | "close";
}

export interface Server {
  readonly kind: "server";
  readonly name: ServerResourceName;
  readonly address: SocketAddress | HostAddress;
  readonly weight: number;
  readonly region: string;
  readonly backup: boolean;
  readonly state: ServerState;
  /** Of each node; 0 for no limit. */
  readonly connectionsMax: number;
  /** Null: `address` is checked. */
  readonly checkAddress: SocketAddress | HostAddress | null;
}

export type ServerState = "ready" | "drain" | "maintenance";

export interface RolloutPolicy {
  readonly kind: "rolloutPolicy";
  readonly name: RolloutPolicyName;
  /** Null: to all nodes at once. */
  readonly staged: StagedRelease | null;
}

export type Resource = Listener | Route | Farm | Server | RolloutPolicy;

/** The type of each kind. */
export interface ResourceOf {
  readonly listener: Listener;
  readonly route: Route;
  readonly farm: Farm;
  readonly server: Server;
  readonly rolloutPolicy: RolloutPolicy;
}

export const resourceKinds: readonly ResourceKind[] = ["listener", "route", "farm", "server", "rolloutPolicy"];

/** What a client announces and where it comes from: all that a route can match. */
export interface Announcement {
  /** Normalised, or null for a complete hello without a name. */
  readonly serverName: ServerName | null;
  /** In the client's order of preference. */
  readonly alpnProtocols: readonly string[];
  /** Null matches no source network. */
  readonly source: IpAddress | null;
}
