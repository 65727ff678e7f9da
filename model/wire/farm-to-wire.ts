import {
  AffinityFallback,
  type Balance,
  DrainAffinity,
  OnMarkedDown,
  OnServerRemoved,
  ProxyVersion,
  TlsSessions,
  TlsVersion as WireTlsVersion,
} from "../../proto/gen/switchyard/config/v1/resources.ts";
import type * as wire from "../../proto/gen/switchyard/config/v1/resources.ts";
import { type AffinityPolicy, balanceNames, type HealthCheck, type TlsProbe, type TlsVersion } from "../farm-policy.ts";
import type { Farm } from "../resource.ts";
import { durationToWire } from "./duration.ts";
import { proxyTlvs } from "./parse-farm.ts";

/** The etag is left empty. */
export function farmToWire(farm: Farm): wire.Farm {
  const { locality, passiveHealth, proxyProtocol, queue } = farm;
  return {
    name: farm.name,
    balance: (balanceNames.indexOf(farm.balance) + 1) as Balance,
    connectTimeout: durationToWire(farm.connectTimeoutMs),
    connectAttemptsMax: farm.connectAttemptsMax,
    serverIdleTimeout: durationToWire(farm.serverIdleTimeoutMs),
    halfCloseTimeout: durationToWire(farm.halfCloseTimeoutMs),
    hashBalanceFactor: farm.hashBalanceFactor,
    affinity: affinityToWire(farm.affinity),
    healthCheck: farm.healthCheck === null ? undefined : healthCheckToWire(farm.healthCheck),
    passiveHealth: {
      failures: passiveHealth.failures,
      ejectionMin: durationToWire(passiveHealth.ejectionMinMs),
      ejectionMax: durationToWire(passiveHealth.ejectionMaxMs),
      ejectedMax: passiveHealth.ejectedMaxPercent,
    },
    slowStart: durationToWire(farm.slowStartMs),
    onMarkedDown: farm.onMarkedDown === "keep" ? OnMarkedDown.ON_MARKED_DOWN_KEEP : OnMarkedDown.ON_MARKED_DOWN_CLOSE,
    panicThreshold: farm.panicThreshold,
    locality:
      locality === null ? undefined : { regions: [...locality.regions], spillBelow: locality.spillBelowPercent },
    queue: { lengthMax: queue.lengthMax, timeout: durationToWire(queue.timeoutMs) },
    proxyProtocol:
      proxyProtocol === null
        ? undefined
        : {
            version: proxyProtocol.version === 1 ? ProxyVersion.PROXY_VERSION_1 : ProxyVersion.PROXY_VERSION_2,
            tlvs: proxyTlvs.filter(([tlv]) => proxyProtocol.tlvs.includes(tlv)).map(([, each]) => each),
          },
    sourceTransparent: farm.sourceTransparent,
    onServerRemoved:
      farm.onServerRemoved === "keep"
        ? OnServerRemoved.ON_SERVER_REMOVED_KEEP
        : OnServerRemoved.ON_SERVER_REMOVED_CLOSE,
    etag: "",
  };
}

function affinityToWire(affinity: AffinityPolicy): wire.Affinity {
  return {
    tlsSessions: affinity.tlsSessions === "follow" ? TlsSessions.TLS_SESSIONS_FOLLOW : TlsSessions.TLS_SESSIONS_IGNORE,
    fallback:
      affinity.fallback === "none"
        ? AffinityFallback.AFFINITY_FALLBACK_NONE
        : AffinityFallback.AFFINITY_FALLBACK_SOURCE,
    sessionIdsMax: affinity.sessionIdsMax,
    sessionIdLifetime: durationToWire(affinity.sessionIdLifetimeMs),
    ticketNameLifetime: durationToWire(affinity.ticketNameLifetimeMs),
    drain: affinity.drain === "honour" ? DrainAffinity.DRAIN_AFFINITY_HONOUR : DrainAffinity.DRAIN_AFFINITY_LEAVE,
    sourcePrefixV4: affinity.sourcePrefixV4,
    sourcePrefixV6: affinity.sourcePrefixV6,
  };
}

function healthCheckToWire(check: HealthCheck): wire.HealthCheck {
  return {
    kind: probeToWire(check),
    interval: durationToWire(check.intervalMs),
    fastInterval: durationToWire(check.fastIntervalMs),
    jitter: check.jitterPercent,
    timeout: durationToWire(check.timeoutMs),
    rise: check.rise,
    fall: check.fall,
    port: check.port ?? 0,
  };
}

function probeToWire({ probe }: HealthCheck): wire.HealthCheck["kind"] {
  switch (probe.type) {
    case "tcp":
      return { $case: "tcp", value: {} };
    case "tls":
      return { $case: "tls", value: tlsToWire(probe.tls) };
    case "https": {
      const { method, path, host, expectedStatuses } = probe.http;
      const statuses = expectedStatuses.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
      return { $case: "https", value: { tls: tlsToWire(probe.tls), method, path, host, expectedStatuses: statuses } };
    }
  }
}

const versions: Readonly<Record<TlsVersion, WireTlsVersion>> = {
  "TLSv1.2": WireTlsVersion.TLS_VERSION_1_2,
  "TLSv1.3": WireTlsVersion.TLS_VERSION_1_3,
};

function tlsToWire(tls: TlsProbe): wire.TlsCheck {
  return {
    serverName: tls.serverName,
    alpnProtocols: [...tls.alpnProtocols],
    minVersion: versions[tls.minVersion],
    maxVersion: versions[tls.maxVersion],
    verify: tls.verify,
    caCertificates: tls.caCertificates,
  };
}
