import { Alert, ServerState as WireServerState } from "../../proto/gen/switchyard/config/v1/resources.ts";
import type * as wire from "../../proto/gen/switchyard/config/v1/resources.ts";
import type { AlertName } from "../alert.ts";
import type { Action, Resource, ServerState } from "../resource.ts";
import { durationToWire } from "./duration.ts";
import { farmToWire } from "./farm-to-wire.ts";
import { rolloutPolicyToWire } from "./rollout-policy-to-wire.ts";

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
            proxyNetworks: [...resource.proxyNetworks],
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
      return { kind: { $case: "farm", value: farmToWire(resource) } };
    case "server": {
      const { name, address, weight, region, backup, connectionsMax } = resource;
      const state = serverStates[resource.state];
      const checkAddress = resource.checkAddress ?? "";
      return {
        kind: {
          $case: "server",
          value: { name, address, weight, region, backup, state, connectionsMax, checkAddress, etag: "" },
        },
      };
    }
    case "rolloutPolicy":
      return { kind: { $case: "rolloutPolicy", value: rolloutPolicyToWire(resource) } };
  }
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
