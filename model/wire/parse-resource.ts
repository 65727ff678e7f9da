import { Alert, ServerState as WireServerState } from "../../proto/gen/switchyard/config/v1/resources.ts";
import type * as wire from "../../proto/gen/switchyard/config/v1/resources.ts";
import { parseNetwork, parseServerAddress, parseSocketAddress } from "../address.ts";
import type { HostAddress, Network, SocketAddress } from "../address.ts";
import type { AlertName } from "../alert.ts";
import { matchKeyCount, matchKeysMax } from "../match-key.ts";
import {
  isFarmName,
  isListenerName,
  isRolloutPolicyName,
  isRouteName,
  isServerResourceName,
  nameShape,
} from "../resource-name.ts";
import type { ResourceKind } from "../resource-name.ts";
import type { Action, Listener, Match, Resource, Route, Server, ServerState } from "../resource.ts";
import { parseServerNamePattern } from "../server-name-pattern.ts";
import type { Violation } from "../violation.ts";
import { FieldReader, quoted } from "./field-reader.ts";
import { parseFarm } from "./parse-farm.ts";
import { parseRolloutPolicy } from "./parse-rollout-policy.ts";

const day = 24 * 60 * 60 * 1000;
const idleTimeoutMs = { min: 100, max: 7 * day, fallback: 10 * 60 * 1000 };
const unset = "" as never;

/**
 * Parses a resource of the API: defaults filled in, names and addresses normalised. Answers undefined where anything
 * was refused; `violations` then has a line for each, their fields below `path`.
 */
export function parseResource(message: wire.Resource, path: string, violations: Violation[]): Resource | undefined {
  const kind = message.kind;
  if (kind === undefined) {
    const description = "one of listener, route, farm, server or rollout_policy is needed";
    violations.push({ field: path, reason: "required", description });
    return undefined;
  }
  return parseResourceOf(kind, path === "" ? kind.$case : `${path}.${kind.$case}`, violations);
}

/** The same for a message whose kind is known; `path` is that of the message itself. */
export function parseResourceOf(
  kind: NonNullable<wire.Resource["kind"]>,
  path: string,
  violations: Violation[],
): Resource | undefined {
  const before = violations.length;
  const reader = new FieldReader(path, violations);
  const resource = parseKind(kind, reader);
  return violations.length === before ? resource : undefined;
}

function parseKind(kind: NonNullable<wire.Resource["kind"]>, reader: FieldReader): Resource {
  switch (kind.$case) {
    case "listener":
      return parseListener(kind.value, reader);
    case "route":
      return parseRoute(kind.value, reader);
    case "farm":
      return parseFarm(kind.value, parseName(kind.value.name, isFarmName, "farm", reader), reader);
    case "server":
      return parseServer(kind.value, reader);
    case "rolloutPolicy": {
      const name = parseName(kind.value.name, isRolloutPolicyName, "rolloutPolicy", reader);
      return parseRolloutPolicy(kind.value, name, reader);
    }
  }
}

function parseListener(message: wire.Listener, reader: FieldReader): Listener {
  if (message.addresses.length === 0) reader.refuse("addresses", "required", "a listener needs an address to bind");
  const { nonTlsFarm } = message;
  if (nonTlsFarm !== "" && !isFarmName(nonTlsFarm)) refuseName(reader, "non_tls_farm", nonTlsFarm, "farm");
  return {
    kind: "listener",
    name: parseName(message.name, isListenerName, "listener", reader),
    addresses: reader.list("addresses", message.addresses, 64, (value, field) => parseAddress(value, field, reader)),
    helloBytesMax: reader.count("hello_bytes_max", message.helloBytesMax, { min: 512, max: 65_536, fallback: 16_384 }),
    helloDeadlineMs: reader.durationMs("hello_deadline", message.helloDeadline, {
      min: 10,
      max: 60_000,
      fallback: 5000,
    }),
    clientIdleTimeoutMs: reader.durationMs("client_idle_timeout", message.clientIdleTimeout, idleTimeoutMs),
    connectionsMax: reader.count("connections_max", message.connectionsMax, {
      min: 1,
      max: 1_000_000,
      fallback: 100_000,
    }),
    defaultAction:
      message.defaultAction === undefined
        ? { to: "reject", alert: "unrecognized_name" }
        : parseAction(message.defaultAction, "default_action", reader),
    nonTlsFarm: isFarmName(nonTlsFarm) ? nonTlsFarm : null,
    proxyNetworks: parseNetworks("proxy_networks", message.proxyNetworks, reader),
  };
}

function parseRoute(message: wire.Route, reader: FieldReader): Route {
  if (message.action === undefined) reader.refuse("action", "required", "a route needs an action");
  return {
    kind: "route",
    name: parseName(message.name, isRouteName, "route", reader),
    match: parseMatch(message.match, reader),
    action: parseAction(message.action ?? { kind: undefined }, "action", reader, message.action === undefined),
  };
}

function parseMatch(message: wire.Match | undefined, reader: FieldReader): Match {
  const names = message?.serverNames ?? [];
  if (names.length === 0 && message?.noServerName !== true)
    reader.refuse("match", "required", "server_names or no_server_name is needed; `*` stands for any name");
  const match: Match = {
    serverNames: reader.list("match.server_names", names, 1000, (value, field) => {
      const parsed = parseServerNamePattern(value);
      if ("pattern" in parsed) return parsed.pattern;
      reader.refuse(field, "malformed", `${quoted(value)} is no server name: ${nameFaultText[parsed.fault]}`);
      return undefined;
    }),
    noServerName: message?.noServerName ?? false,
    alpnProtocols: reader.list("match.alpn_protocols", message?.alpnProtocols ?? [], 32, (value, field) => {
      // RFC 7301 section 3.1: 1 to 255 bytes; printable ASCII covers what is registered.
      if (/^[\x21-\x7e]{1,255}$/.test(value)) return value;
      reader.refuse(field, "malformed", `${quoted(value)} is no ALPN protocol: 1 to 255 printable ASCII characters`);
      return undefined;
    }),
    sourceNetworks: parseNetworks("match.source_networks", message?.sourceNetworks ?? [], reader),
  };
  const keys = matchKeyCount(match);
  if (keys > matchKeysMax)
    reader.refuse("match", "too_many", `names x protocols x networks are ${keys}; at most ${matchKeysMax} are allowed`);
  return match;
}

function parseNetworks(field: string, values: readonly string[], reader: FieldReader): readonly Network[] {
  return reader.list(field, values, 256, (value, element) => {
    const network = parseNetwork(value);
    if (network === undefined)
      reader.refuse(element, "malformed", `${quoted(value)} is no network: 10.0.0.0/8, 2001:db8::/32, no host bits`);
    return network;
  });
}

const nameFaultText = {
  name_empty: "it is empty",
  name_too_long: "it is longer than 253 characters",
  name_character: "it has a character that is not printable ASCII",
  name_label_length: "each label has 1 to 63 characters",
  name_wildcard: "a star may only stand for the whole first label, as in *.example.com",
} as const;

const alertNames: Readonly<Record<number, AlertName>> = {
  [Alert.ALERT_UNSPECIFIED]: "access_denied",
  [Alert.ALERT_HANDSHAKE_FAILURE]: "handshake_failure",
  [Alert.ALERT_ACCESS_DENIED]: "access_denied",
  [Alert.ALERT_PROTOCOL_VERSION]: "protocol_version",
  [Alert.ALERT_INTERNAL_ERROR]: "internal_error",
  [Alert.ALERT_UNRECOGNIZED_NAME]: "unrecognized_name",
  [Alert.ALERT_NO_APPLICATION_PROTOCOL]: "no_application_protocol",
};

/** `reported` says that its absence has been refused already. */
function parseAction(message: wire.Action, field: string, reader: FieldReader, reported = false): Action {
  const kind = message.kind;
  switch (kind?.$case) {
    case "farm":
      if (!isFarmName(kind.value)) refuseName(reader, `${field}.farm`, kind.value, "farm");
      return { to: "farm", farm: kind.value as `farms/${string}` };
    case "server":
      if (!isServerResourceName(kind.value)) refuseName(reader, `${field}.server`, kind.value, "server");
      return { to: "server", server: kind.value as `farms/${string}/servers/${string}` };
    case "reject": {
      const alert = alertNames[kind.value.alert];
      if (alert === undefined) reader.refuse(`${field}.reject.alert`, "malformed", `${kind.value.alert} is no alert`);
      return { to: "reject", alert: alert ?? "access_denied" };
    }
    case undefined:
      if (!reported) reader.refuse(field, "required", "one of farm, server or reject is needed");
      return { to: "reject", alert: "access_denied" };
  }
}

const serverStates: Readonly<Record<number, ServerState>> = {
  [WireServerState.SERVER_STATE_UNSPECIFIED]: "ready",
  [WireServerState.SERVER_STATE_READY]: "ready",
  [WireServerState.SERVER_STATE_DRAIN]: "drain",
  [WireServerState.SERVER_STATE_MAINTENANCE]: "maintenance",
};

function parseServer(message: wire.Server, reader: FieldReader): Server {
  const state = serverStates[message.state];
  if (state === undefined) reader.refuse("state", "malformed", `${String(message.state)} is no server state`);
  if (!/^[\x21-\x7e]{0,63}$/.test(message.region))
    reader.refuse(
      "region",
      "malformed",
      `${quoted(message.region)} is no region: at most 63 printable ASCII characters`,
    );
  return {
    kind: "server",
    name: parseName(message.name, isServerResourceName, "server", reader),
    address: parseHost(message.address, "address", reader) ?? unset,
    weight: reader.number("weight", message.weight ?? 1, { min: 0, max: 256, fallback: 1 }),
    region: message.region,
    backup: message.backup,
    state: state ?? "ready",
    connectionsMax: reader.count("connections_max", message.connectionsMax, { min: 1, max: 1_000_000, fallback: 0 }),
    checkAddress:
      message.checkAddress === "" ? null : (parseHost(message.checkAddress, "check_address", reader) ?? null),
  };
}

function parseAddress(value: string, field: string, reader: FieldReader): SocketAddress | undefined {
  const address = parseSocketAddress(value);
  if (address === undefined)
    reader.refuse(field, "malformed", `${quoted(value)} is no IP address and port: 10.1.2.3:443, [2001:db8::7]:443`);
  return address;
}

function parseHost(value: string, field: string, reader: FieldReader): SocketAddress | HostAddress | undefined {
  const address = parseServerAddress(value);
  if (address === undefined)
    reader.refuse(
      field,
      "malformed",
      `${quoted(value)} is no address and port: 10.1.2.3:443, [2001:db8::7]:443, app.internal:443`,
    );
  return address;
}

function parseName<N extends string>(
  text: string,
  is: (text: string) => text is N,
  kind: ResourceKind,
  reader: FieldReader,
): N {
  if (is(text)) return text;
  refuseName(reader, "name", text, kind);
  return unset;
}

function refuseName(reader: FieldReader, field: string, text: string, kind: ResourceKind): void {
  reader.refuse(
    field,
    text === "" ? "required" : "malformed",
    `${quoted(text)} is no name of a ${kind}: ${nameShape[kind]}, ids of a-z, 0-9 and -, at most 63, a letter first`,
  );
}
