import type { Duration } from "../../proto/gen/google/protobuf/duration.ts";
import { Alert, Balance, ServerState as WireServerState } from "../../proto/gen/switchyard/config/v1/resources.ts";
import type * as wire from "../../proto/gen/switchyard/config/v1/resources.ts";
import type { AlertName } from "../alert.ts";
import type { Action, Resource, ServerState } from "../resource.ts";

/** A resource as the API's message. The etag is left empty: events and snapshots do not carry it. */
export function resourceToWire(resource: Resource): wire.Resource & { kind: NonNullable<wire.Resource["kind"]> } {
  switch (resource.kind) {
    case "listener":
      return {
        kind: {
          $case: "listener",
          value: {
            name: resource.name,
            addresses: [...resource.addresses],
            helloBytesMax: resource.helloBytesMax,
            helloDeadline: durationToWire(resource.helloDeadlineMs),
            clientIdleTimeout: durationToWire(resource.clientIdleTimeoutMs),
            connectionsMax: resource.connectionsMax,
            defaultAction: actionToWire(resource.defaultAction),
            nonTlsFarm: resource.nonTlsFarm ?? "",
            etag: "",
          },
        },
      };
    case "route": {
      const { serverNames, noServerName, alpnProtocols, sourceNetworks } = resource.match;
      const match = {
        serverNames: [...serverNames],
        noServerName,
        alpnProtocols: [...alpnProtocols],
        sourceNetworks: [...sourceNetworks],
      };
      return {
        kind: {
          $case: "route",
          value: { name: resource.name, match, action: actionToWire(resource.action), etag: "" },
        },
      };
    }
    case "farm":
      return {
        kind: {
          $case: "farm",
          value: {
            name: resource.name,
            balance: Balance.BALANCE_ROUND_ROBIN,
            connectTimeout: durationToWire(resource.connectTimeoutMs),
            connectAttemptsMax: resource.connectAttemptsMax,
            serverIdleTimeout: durationToWire(resource.serverIdleTimeoutMs),
            halfCloseTimeout: durationToWire(resource.halfCloseTimeoutMs),
            etag: "",
          },
        },
      };
    case "server": {
      const { name, address, weight, region, backup, state } = resource;
      return {
        kind: {
          $case: "server",
          value: { name, address, weight, region, backup, state: serverStates[state], etag: "" },
        },
      };
    }
  }
}

export function durationToWire(ms: number): Duration {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 };
}

function actionToWire(action: Action): wire.Action {
  switch (action.to) {
    case "farm":
      return { kind: { $case: "farm", value: action.farm } };
    case "server":
      return { kind: { $case: "server", value: action.server } };
    case "reject":
      return { kind: { $case: "reject", value: { alert: alerts[action.alert] } } };
  }
}

const alerts: Readonly<Record<AlertName, Alert>> = {
  handshake_failure: Alert.ALERT_HANDSHAKE_FAILURE,
  access_denied: Alert.ALERT_ACCESS_DENIED,
  // Never a route's choice: what the hello reader sends has no counterpart in the API.
  decode_error: Alert.ALERT_UNSPECIFIED,
  protocol_version: Alert.ALERT_PROTOCOL_VERSION,
  internal_error: Alert.ALERT_INTERNAL_ERROR,
  unrecognized_name: Alert.ALERT_UNRECOGNIZED_NAME,
  no_application_protocol: Alert.ALERT_NO_APPLICATION_PROTOCOL,
};

const serverStates: Readonly<Record<ServerState, WireServerState>> = {
  ready: WireServerState.SERVER_STATE_READY,
  drain: WireServerState.SERVER_STATE_DRAIN,
  maintenance: WireServerState.SERVER_STATE_MAINTENANCE,
};
