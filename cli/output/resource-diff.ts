import type { JsonObject } from "@bufbuild/protobuf";
import type { Resource } from "../../proto/gen/switchyard/config/v1/resources.ts";
import type { CliContext } from "../context.ts";
import { paint } from "../context.ts";
import type { DiffLine } from "./line-diff.ts";
import { changedWithParents, diffLines } from "./line-diff.ts";
import { parseResource } from "../../model/wire/parse-resource.ts";
import { storedResource } from "../../model/wire/stored-resource.ts";
import { nameOf, resourceJson } from "./message-json.ts";
import { safeText } from "./safe-text.ts";
import { yamlText } from "./yaml-text.ts";

/**
 * One resource as it was and as it is, in unified lines: a heading `+ name`, `~ name` or `- name`, and below it the
 * YAML of what is new, what changed with the fields around it, or what is gone. Empty where nothing differs.
 */
export function resourceDiff(context: CliContext, before: Resource | undefined, after: Resource | undefined): string {
  const lines = diffLines(yamlLines(before), yamlLines(after));
  if (before !== undefined && after !== undefined && lines.every(({ mark }) => mark === " ")) return "";
  const mark = before === undefined ? "+" : after === undefined ? "-" : "~";
  const heading = `${mark} ${safeText(nameOf(after ?? before ?? { kind: undefined }))}`;
  const colour = mark === "+" ? "green" : mark === "-" ? "red" : "yellow";
  const body = changedWithParents(lines).map((line) => `${diffLineText(context, line)}\n`);
  return `${paint(context, colour, heading)}\n${body.join("")}`;
}

function diffLineText(context: CliContext, { mark, text }: DiffLine): string {
  const line = `${mark}     ${text}`;
  return mark === " " ? line : paint(context, mark === "+" ? "green" : "red", line);
}

/** The fields without the name, which is the heading, and without the etag, which changes with every field. */
function yamlLines(resource: Resource | undefined): string[] {
  if (resource === undefined) return [];
  const [fields] = Object.values(resourceJson(asStored(resource), { etag: false }));
  const { name: _, ...rest } = fields as JsonObject;
  return Object.keys(rest).length === 0 ? [] : yamlText(rest).trimEnd().split("\n");
}

/**
 * In the form of events, which leave out what is at its default: the API fills that in, and one form is compared with the
 * other. What this version can't read stays as it is.
 */
function asStored(resource: Resource): Resource {
  const parsed = parseResource(resource, "", []);
  return parsed === undefined ? resource : storedResource(parsed);
}
