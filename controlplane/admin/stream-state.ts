import type { GetStateRequest, GetStateResponse } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import type { SnapshotHeader } from "../../proto/gen/switchyard/config/v1/commits.ts";
import type { Resource as WireResource } from "../../proto/gen/switchyard/config/v1/resources.ts";
import type { Configuration } from "../../model/configuration.ts";
import { resourceToWire } from "../../model/wire/resource-to-wire.ts";
import { snapshotHeader } from "../../model/wire/snapshot.ts";
import type { EventLog } from "../log/event-log.ts";
import type { LiveConfiguration } from "../state/live-configuration.ts";
import { configurationAt } from "../state/log-follower.ts";
import type { Send } from "./handler.ts";
import { knownRevision } from "./known-revision.ts";
import { countForMessage } from "./message-load.ts";

/** The configuration at a revision, 0 for the present one. */
export async function streamState(
  log: EventLog,
  live: LiveConfiguration,
  request: GetStateRequest,
  send: Send<GetStateResponse>,
): Promise<void> {
  await live.catchUp();
  const now = live.position.revision;
  const wanted = request.revision === 0n ? now : knownRevision(request.revision, live.position);
  const { header, parts } = inParts(wanted === now ? live.configuration : await configurationAt(log, wanted));
  await send({ part: { $case: "header", value: header } });
  for (const resources of parts) await send({ part: { $case: "resources", value: { resources } } });
}

/** A configuration as header and parts; taken as it is now, whatever is committed while the parts are sent. */
export function inParts(configuration: Configuration): {
  readonly header: SnapshotHeader;
  readonly parts: Iterable<WireResource[]>;
} {
  const resources = [...configuration.resources()];
  return {
    header: snapshotHeader(configuration),
    parts: (function* parts() {
      for (let start = 0, end = 0; start < resources.length; start = end) {
        end = start + countForMessage(resources, start);
        yield resources.slice(start, end).map(resourceToWire);
      }
    })(),
  };
}
