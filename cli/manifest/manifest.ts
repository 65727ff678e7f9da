import { fromJson, toBinary } from "@bufbuild/protobuf";
import type { JsonObject } from "@bufbuild/protobuf";
import { Resource } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { messageDescriptor } from "../descriptors.ts";
import { locateField } from "./locate-field.ts";
import type { Fault, ManifestNode } from "./manifest-node.ts";
import type { ManifestSource } from "./manifest-source.ts";
import { readJson } from "./read-json.ts";
import { MessageReader } from "./read-message.ts";
import { readYaml } from "./read-yaml.ts";

/** What the files say, all of it understood. */
export interface Manifest {
  readonly resources: readonly Resource[];
  /**
   * Where a field of the request stands in the files: `resources[3].route.match.server_names[0]`, or the nearest
   * thing around it that is written down. Undefined for a path that leads to no resource of the manifest.
   */
  readonly locate: (requestPath: string) => FieldPlace | undefined;
}

export interface FieldPlace {
  /** `web.yaml:3:7`. */
  readonly place: string;
  /** The whole path below the resource, in the file's spelling as far as it is there. */
  readonly path: string;
}

/** Where each resource was read. */
interface Origin {
  readonly source: ManifestSource;
  readonly node: ManifestNode;
}

/**
 * Reads the files as one set of resources. Each document is a `switchyard.config.v1.Resource` in protobuf JSON form,
 * a list of them, or a map with the one key `resources`. Either everything is right, or every fault is told, in the
 * form `file:line:column: field.path: message`.
 */
export function readManifest(sources: readonly ManifestSource[]): Manifest | { readonly faults: readonly string[] } {
  const resources: Resource[] = [];
  const origins: Origin[] = [];
  const faults: string[] = [];
  const places = new Map<string, string>();
  for (const source of sources) {
    const found: Fault[] = [];
    for (const { node, resource } of resourcesOf(source, found)) {
      const name = resource.kind?.value.name ?? "";
      const twin = places.get(name);
      if (twin === undefined) {
        resources.push(resource);
        origins.push({ source, node });
        if (name !== "") places.set(name, source.place(node.offset));
      } else {
        const { offset, path } = locateField(node, [resource.kind?.$case ?? "", "name"]);
        found.push({ offset, path, message: `${name} is already at ${twin}` });
      }
    }
    found.sort((left, right) => left.offset - right.offset);
    for (const { offset, path, message } of found)
      faults.push(`${source.place(offset)}: ${path === "" ? "" : `${path}: `}${message}`);
  }
  if (faults.length > 0) return { faults };
  return { resources, locate: (requestPath) => locate(origins, requestPath) };
}

function resourcesOf(source: ManifestSource, faults: Fault[]): readonly { node: ManifestNode; resource: Resource }[] {
  const reader = new MessageReader(faults, (offset) => source.place(offset));
  const descriptor = messageDescriptor("switchyard.config.v1.Resource");
  const kinds = descriptor.fields.map(({ jsonName }) => jsonName);
  const read: { node: ManifestNode; resource: Resource }[] = [];
  for (const node of resourceNodes(source.text, faults)) {
    if (node.kind === "map" && node.entries.every(({ value }) => value.kind === "scalar" && value.value === null)) {
      faults.push({ offset: node.offset, path: "", message: `one of ${kinds.join(", ")} is needed` });
      continue;
    }
    const json = reader.message(descriptor, node, "");
    if (json === undefined) continue;
    read.push({ node, resource: toResource(json) });
  }
  return read;
}

/** By the library's exact reading to bytes, and from these to what the generated client takes. */
function toResource(json: JsonObject): Resource {
  const descriptor = messageDescriptor("switchyard.config.v1.Resource");
  return Resource.decode(toBinary(descriptor, fromJson(descriptor, json)));
}

/** The nodes of a text that should be resources. */
function resourceNodes(text: string, faults: Fault[]): readonly ManifestNode[] {
  const json = /^\s*[[{]/.test(text) ? readJson(text) : undefined;
  const documents = json === undefined ? yamlDocuments(text, faults) : [json];
  return documents.flatMap((document) => {
    if (document.kind === "list") return document.items;
    const listed = document.kind === "map" && document.entries.find(({ key }) => key === "resources");
    if (document.kind !== "map" || !listed) return [document];
    for (const { key, offset } of document.entries)
      if (key !== "resources") faults.push({ offset, path: key ?? "", message: "nothing may stand beside resources" });
    if (listed.value.kind === "list") return listed.value.items;
    faults.push({ offset: listed.value.offset, path: "resources", message: "must be a list of resources" });
    return [];
  });
}

/** A document that is no YAML is left out: its fault is told, and the others may have theirs. */
function yamlDocuments(text: string, faults: Fault[]): readonly ManifestNode[] {
  const read = readYaml(text);
  for (const fault of read.faults) faults.push(fault);
  return read.documents;
}

function locate(origins: readonly Origin[], requestPath: string): FieldPlace | undefined {
  const match = /^resources\[(\d+)\](?:\.(.*))?$/.exec(requestPath);
  const origin = origins[Number(match?.[1] ?? -1)];
  if (origin === undefined) return undefined;
  const segments = (match?.[2] ?? "").split(/\.|(?=\[)/).filter((segment) => segment !== "");
  const { offset, path } = locateField(origin.node, segments);
  return { place: origin.source.place(offset), path };
}
