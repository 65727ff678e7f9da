import {
  AffinityFallback,
  Balance,
  DrainAffinity,
  OnMarkedDown,
  OnServerRemoved,
  ProxyTlv as WireProxyTlv,
  ProxyVersion,
  TlsSessions,
} from "../../proto/gen/switchyard/config/v1/resources.ts";
import type * as wire from "../../proto/gen/switchyard/config/v1/resources.ts";
import {
  type AffinityPolicy,
  affinityDefaults,
  type BalanceName,
  balanceNames,
  type LocalityPolicy,
  type PassiveHealthPolicy,
  panicThresholdDefault,
  passiveHealthDefaults,
  type ProxyProtocolPolicy,
  type ProxyTlv,
  type QueuePolicy,
  queueDefaults,
} from "../farm-policy.ts";
import type { Farm } from "../resource.ts";
import type { FarmName } from "../resource-name.ts";
import { type FieldReader, quoted } from "./field-reader.ts";
import { parseHealthCheck } from "./parse-health-check.ts";

const hour = 3_600_000;
const day = 24 * hour;
const idleTimeoutMs = { min: 100, max: 7 * day, fallback: 10 * 60_000 };

const hashes: ReadonlySet<BalanceName> = new Set(["source_hash", "maglev_source", "maglev_server_name"]);

/** A farm without its name, which the caller has read. */
export function parseFarm(message: wire.Farm, name: FarmName, reader: FieldReader): Farm {
  const balance = parseBalance(message.balance, reader);
  const affinity = parseAffinity(message.affinity, reader);
  if (message.hashBalanceFactor !== 0 && !hashes.has(balance) && affinity.fallback === "none")
    reader.refuse("hash_balance_factor", "malformed", `${balance} does not hash, and neither does the affinity`);
  return {
    kind: "farm",
    name,
    balance,
    connectTimeoutMs: reader.durationMs("connect_timeout", message.connectTimeout, {
      min: 10,
      max: 60_000,
      fallback: 5000,
    }),
    connectAttemptsMax: reader.count("connect_attempts_max", message.connectAttemptsMax, {
      min: 1,
      max: 10,
      fallback: 3,
    }),
    serverIdleTimeoutMs: reader.durationMs("server_idle_timeout", message.serverIdleTimeout, idleTimeoutMs),
    halfCloseTimeoutMs: reader.durationMs("half_close_timeout", message.halfCloseTimeout, {
      ...idleTimeoutMs,
      fallback: 30_000,
    }),
    hashBalanceFactor: reader.count("hash_balance_factor", message.hashBalanceFactor, {
      min: 101,
      max: 1000,
      fallback: 0,
    }),
    affinity,
    healthCheck: message.healthCheck === undefined ? null : parseHealthCheck(message.healthCheck, reader),
    passiveHealth: parsePassiveHealth(message.passiveHealth, reader),
    slowStartMs: reader.durationMs("slow_start", message.slowStart, { min: 0, max: hour, fallback: 0 }),
    onMarkedDown:
      reader.choice("on_marked_down", message.onMarkedDown, {
        [OnMarkedDown.ON_MARKED_DOWN_UNSPECIFIED]: "keep",
        [OnMarkedDown.ON_MARKED_DOWN_KEEP]: "keep",
        [OnMarkedDown.ON_MARKED_DOWN_CLOSE]: "close",
      }) ?? "keep",
    panicThreshold: reader.number("panic_threshold", message.panicThreshold ?? panicThresholdDefault, {
      min: 0,
      max: 100,
      fallback: panicThresholdDefault,
    }),
    locality: message.locality === undefined ? null : parseLocality(message.locality, reader),
    queue: parseQueue(message.queue, reader),
    proxyProtocol: message.proxyProtocol === undefined ? null : parseProxyProtocol(message.proxyProtocol, reader),
    sourceTransparent: message.sourceTransparent,
    onServerRemoved:
      reader.choice("on_server_removed", message.onServerRemoved, {
        [OnServerRemoved.ON_SERVER_REMOVED_UNSPECIFIED]: "keep",
        [OnServerRemoved.ON_SERVER_REMOVED_KEEP]: "keep",
        [OnServerRemoved.ON_SERVER_REMOVED_CLOSE]: "close",
      }) ?? "keep",
  };
}

function parseBalance(balance: Balance, reader: FieldReader): BalanceName {
  const known = balance === Balance.BALANCE_UNSPECIFIED ? "round_robin" : balanceNames[balance - 1];
  if (known === undefined) reader.refuse("balance", "malformed", `${String(balance)} is no way to balance`);
  return known ?? "round_robin";
}

function parseAffinity(message: wire.Affinity | undefined, reader: FieldReader): AffinityPolicy {
  const d = affinityDefaults;
  if (message === undefined) return d;
  return {
    tlsSessions:
      reader.choice("affinity.tls_sessions", message.tlsSessions, {
        [TlsSessions.TLS_SESSIONS_UNSPECIFIED]: d.tlsSessions,
        [TlsSessions.TLS_SESSIONS_FOLLOW]: "follow",
        [TlsSessions.TLS_SESSIONS_IGNORE]: "ignore",
      }) ?? d.tlsSessions,
    fallback:
      reader.choice("affinity.fallback", message.fallback, {
        [AffinityFallback.AFFINITY_FALLBACK_UNSPECIFIED]: d.fallback,
        [AffinityFallback.AFFINITY_FALLBACK_NONE]: "none",
        [AffinityFallback.AFFINITY_FALLBACK_SOURCE]: "source",
      }) ?? d.fallback,
    sessionIdsMax: reader.count("affinity.session_ids_max", message.sessionIdsMax, {
      min: 1,
      max: 1_000_000,
      fallback: d.sessionIdsMax,
    }),
    sessionIdLifetimeMs: reader.durationMs("affinity.session_id_lifetime", message.sessionIdLifetime, {
      min: 1000,
      max: day,
      fallback: d.sessionIdLifetimeMs,
    }),
    ticketNameLifetimeMs: reader.durationMs("affinity.ticket_name_lifetime", message.ticketNameLifetime, {
      min: 60_000,
      max: 7 * day,
      fallback: d.ticketNameLifetimeMs,
    }),
    drain:
      reader.choice("affinity.drain", message.drain, {
        [DrainAffinity.DRAIN_AFFINITY_UNSPECIFIED]: d.drain,
        [DrainAffinity.DRAIN_AFFINITY_HONOUR]: "honour",
        [DrainAffinity.DRAIN_AFFINITY_LEAVE]: "leave",
      }) ?? d.drain,
    sourcePrefixV4: reader.count("affinity.source_prefix_v4", message.sourcePrefixV4, {
      min: 1,
      max: 32,
      fallback: d.sourcePrefixV4,
    }),
    sourcePrefixV6: reader.count("affinity.source_prefix_v6", message.sourcePrefixV6, {
      min: 1,
      max: 128,
      fallback: d.sourcePrefixV6,
    }),
  };
}

function parsePassiveHealth(message: wire.PassiveHealth | undefined, reader: FieldReader): PassiveHealthPolicy {
  const d = passiveHealthDefaults;
  if (message === undefined) return d;
  const ejectionMinMs = reader.durationMs("passive_health.ejection_min", message.ejectionMin, {
    min: 100,
    max: hour,
    fallback: d.ejectionMinMs,
  });
  const ejectionMaxMs = reader.durationMs("passive_health.ejection_max", message.ejectionMax, {
    min: 100,
    max: hour,
    fallback: Math.max(ejectionMinMs, d.ejectionMaxMs),
  });
  if (ejectionMaxMs < ejectionMinMs)
    reader.refuse("passive_health.ejection_max", "out_of_range", "it is less than passive_health.ejection_min");
  return {
    failures: reader.count("passive_health.failures", message.failures, { min: 1, max: 100, fallback: d.failures }),
    ejectionMinMs,
    ejectionMaxMs,
    ejectedMaxPercent: reader.number("passive_health.ejected_max", message.ejectedMax ?? d.ejectedMaxPercent, {
      min: 0,
      max: 100,
      fallback: d.ejectedMaxPercent,
    }),
  };
}

function parseLocality(message: wire.Locality, reader: FieldReader): LocalityPolicy {
  return {
    regions: reader.list("locality.regions", message.regions, 16, (value, field) => {
      if (/^[\x21-\x7e]{1,63}$/.test(value)) return value;
      reader.refuse(field, "malformed", `${quoted(value)} is no region: 1 to 63 printable ASCII characters`);
      return undefined;
    }),
    spillBelowPercent: reader.count("locality.spill_below", message.spillBelow, { min: 1, max: 100, fallback: 70 }),
  };
}

function parseQueue(message: wire.Queue | undefined, reader: FieldReader): QueuePolicy {
  const d = queueDefaults;
  return {
    lengthMax: reader.number("queue.length_max", message?.lengthMax ?? d.lengthMax, {
      min: 0,
      max: 100_000,
      fallback: d.lengthMax,
    }),
    timeoutMs: reader.durationMs("queue.timeout", message?.timeout, { min: 10, max: 60_000, fallback: d.timeoutMs }),
  };
}

/** In the order of the proto, which is the order in which they are written. */
export const proxyTlvs: readonly (readonly [ProxyTlv, WireProxyTlv])[] = [
  ["alpn", WireProxyTlv.PROXY_TLV_ALPN],
  ["authority", WireProxyTlv.PROXY_TLV_AUTHORITY],
  ["crc32c", WireProxyTlv.PROXY_TLV_CRC32C],
  ["unique_id", WireProxyTlv.PROXY_TLV_UNIQUE_ID],
];

function parseProxyProtocol(message: wire.ProxyProtocol, reader: FieldReader): ProxyProtocolPolicy {
  const version = reader.choice("proxy_protocol.version", message.version, {
    [ProxyVersion.PROXY_VERSION_UNSPECIFIED]: 2,
    [ProxyVersion.PROXY_VERSION_1]: 1,
    [ProxyVersion.PROXY_VERSION_2]: 2,
  } as const);
  for (const [index, tlv] of message.tlvs.entries()) {
    const field = `proxy_protocol.tlvs[${index}]`;
    if (!proxyTlvs.some(([, each]) => each === tlv))
      reader.refuse(field, "malformed", `${String(tlv)} is no such value`);
    else if (message.tlvs.indexOf(tlv) < index) reader.refuse(field, "duplicate", "it stands in the list twice");
  }
  if (version === 1 && message.tlvs.length > 0)
    reader.refuse("proxy_protocol.tlvs", "malformed", "version 1 has no place for further values");
  const tlvs = proxyTlvs.filter(([, each]) => message.tlvs.includes(each)).map(([tlv]) => tlv);
  return { version: version ?? 2, tlvs };
}
