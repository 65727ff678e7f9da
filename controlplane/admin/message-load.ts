import type { Resource } from "../../model/resource.ts";

/** Resources in one message. */
const resourcesMax = 1000;

/** Names, protocols, networks and addresses in one message, all resources together. */
const listValuesMax = 10_000;

/** The longest of such values. */
const valueBytesMax = 257;

/**
 * How many of `resources`, from `start` on, go into one message, and never more than `most`: so few that it stays
 * below the 4 MiB which gRPC clients take unless told otherwise, and that other calls come in between two messages.
 */
export function countForMessage(resources: readonly Resource[], start: number, most = resourcesMax): number {
  const end = Math.min(start + Math.min(most, resourcesMax), resources.length);
  let values = 0;
  for (let index = start; index < end; index += 1) {
    values += listValues(resources[index] as Resource);
    if (values > listValuesMax && index > start) return index - start;
  }
  return Math.max(end - start, 0);
}

function listValues(resource: Resource): number {
  switch (resource.kind) {
    case "listener":
      return resource.addresses.length + resource.proxyNetworks.length;
    case "route": {
      const { serverNames, alpnProtocols, sourceNetworks } = resource.match;
      return serverNames.length + alpnProtocols.length + sourceNetworks.length;
    }
    case "farm": {
      const probe = resource.healthCheck?.probe;
      if (probe === undefined || probe.type === "tcp") return 0;
      return probe.tls.alpnProtocols.length + Math.ceil(Buffer.byteLength(probe.tls.caCertificates) / valueBytesMax);
    }
    case "server":
      return 0;
    case "rolloutPolicy":
      return (resource.staged?.waves ?? []).reduce(
        (sum, { regions, labels }) => sum + 1 + regions.length + Object.keys(labels).length,
        0,
      );
  }
}
