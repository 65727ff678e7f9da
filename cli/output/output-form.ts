import type { JsonObject } from "@bufbuild/protobuf";
import { Option } from "commander";
import { safeDocument } from "./safe-text.ts";
import { yamlText } from "./yaml-text.ts";

export type OutputForm = "text" | "yaml" | "json";

/** `-o`, for what is shown as text, or whole for scripts. */
export function outputOption(): Option {
  return new Option("-o, --output <form>", "form of the output").choices(["text", "yaml", "json"]).default("text");
}

/** A whole answer, in a form that scripts read. */
export function documentText(document: JsonObject, form: "yaml" | "json"): string {
  return form === "yaml" ? yamlText(document) : `${safeDocument(JSON.stringify(document, undefined, 2))}\n`;
}
