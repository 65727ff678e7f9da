import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import type { DescMessage, FileRegistry } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { packageRoot } from "./package-root.ts";

/** The API's descriptors: an output of `npm run generate` beside the generated code; the compiler copies no such file. */
export const descriptorsFile: URL = new URL("proto/gen/image.binpb", packageRoot);

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
