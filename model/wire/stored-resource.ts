import {
  Farm as WireFarm,
  Listener as WireListener,
  RolloutPolicy as WireRolloutPolicy,
  Route as WireRoute,
  Server as WireServer,
} from "../../proto/gen/switchyard/config/v1/resources.ts";
import type * as wire from "../../proto/gen/switchyard/config/v1/resources.ts";
import { addedFieldsAtDefault } from "../resource-fields.ts";
import type { Resource } from "../resource.ts";
import { resourceToWire } from "./resource-to-wire.ts";

/** What a message has where nothing was said. */
const unsaid: Readonly<Record<Resource["kind"], Readonly<Record<string, unknown>>>> = {
  listener: { ...WireListener.fromPartial({}) },
  route: { ...WireRoute.fromPartial({}) },
  farm: { ...WireFarm.fromPartial({}) },
  server: { ...WireServer.fromPartial({}) },
  rolloutPolicy: { ...WireRolloutPolicy.fromPartial({}) },
};

/**
 * A resource as events and snapshots have it: the API's message without those fields that came after the first version and
 * are at their defaults. So a configuration that does not use them has the bytes that it had before there were such fields,
 * as it has the digest. The default of a field never changes once it was released.
 */
export function storedResource(resource: Resource): wire.Resource {
  const whole = resourceToWire(resource);
  const left = addedFieldsAtDefault(resource);
  if (left.length === 0) return whole;
  const value: Record<string, unknown> = { ...whole.kind.value };
  for (const path of left) {
    const field = path.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    value[field] = unsaid[resource.kind][field];
  }
  return { kind: { $case: whole.kind.$case, value } as unknown as NonNullable<wire.Resource["kind"]> };
}
