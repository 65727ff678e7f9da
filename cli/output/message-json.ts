import { fromBinary, toJson } from "@bufbuild/protobuf";
import type { JsonObject } from "@bufbuild/protobuf";
import type { CommitInfo } from "../../proto/gen/switchyard/config/v1/commits.ts";
import { Resource } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { messageDescriptor } from "../descriptors.ts";

/** A message type of the generated code, as far as it is needed here. */
interface Encoder<Message> {
  encode(message: Message): { finish(): Uint8Array };
}

/**
 * The protobuf JSON form of a message: durations as `5s`, enums by name, 64-bit numbers as strings. It goes through
 * the descriptors, because the generated code's own JSON has another form for durations and timestamps.
 */
export function messageJson<Message>(typeName: string, type: Encoder<Message>, message: Message): JsonObject {
  const descriptor = messageDescriptor(typeName);
  return toJson(descriptor, fromBinary(descriptor, type.encode(message).finish())) as JsonObject;
}

/** A resource as a manifest has it. The etag is left out by default: applied again, it would have to match. */
export function resourceJson(resource: Resource, options: { readonly etag: boolean }): JsonObject {
  const json = messageJson("switchyard.config.v1.Resource", Resource, resource);
  if (!options.etag) for (const value of Object.values(json)) delete (value as JsonObject)["etag"];
  return json;
}

/** The name of a resource, whatever its kind; empty where it has none. */
export function nameOf(resource: Resource): string {
  return resource.kind?.value.name ?? "";
}

/** `2026-11-22 12:51:36Z`; empty where the time is unknown. */
export function timeText(time: CommitInfo["time"]): string {
  if (time === undefined) return "";
  const date = new Date(Number(time.seconds) * 1000);
  return Number.isNaN(date.getTime()) ? "" : `${date.toISOString().slice(0, 19).replace("T", " ")}Z`;
}

export function hexText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
