import { existsSync, readFileSync } from "node:fs";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import type { DescMessage, FileRegistry } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/**
 * The API's descriptors: an output of `npm run generate` beside the generated code. The compiler copies no binary
 * files, so that the place is another one from `cli/` than from `dist/cli/`.
 */
export const descriptorsFile: URL = ["../proto/gen/image.binpb", "../../proto/gen/image.binpb"]
  .map((place) => new URL(place, import.meta.url))
  .reduce((first, second) => (existsSync(first) ? first : second));

let registry: FileRegistry | undefined;

/**
 * The descriptor of one of the API's messages. Descriptors carry what the generated code lacks: field names in both
 * spellings, oneofs, the names and ranges of values.
 */
export function messageDescriptor(typeName: string): DescMessage {
  registry ??= createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptorsFile)));
  const found = registry.getMessage(typeName);
  if (found === undefined) throw new Error(`no message ${typeName} in the descriptors: run \`npm run build\``);
  return found;
}
