import type { Resource } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { CliFailure } from "../cli-failure.ts";
import { exitCode } from "../exit-code.ts";
import { nameOf } from "../output/message-json.ts";
import type { AdminClient } from "./admin-client.ts";

export interface ConfigurationAt {
  readonly revision: bigint;
  /** By name, in the order of {@link compareNames}. */
  readonly resources: ReadonlyMap<string, Resource>;
}

/** The whole configuration at a revision. Nothing needs to be asked about revision 0: it is before any commit. */
export async function configurationAt(client: AdminClient, wanted: bigint | "head"): Promise<ConfigurationAt> {
  if (wanted === 0n) return { revision: 0n, resources: new Map() };
  // On the wire, 0 asks for the present one.
  const revision = wanted === "head" ? 0n : wanted;
  const resources: Resource[] = [];
  let header: { readonly revision: bigint; readonly resourceCount: bigint } | undefined;
  for await (const { part } of client.stream((options) => client.config.getState({ revision }, options))) {
    if (part?.$case === "header") header = part.value;
    else if (part?.$case === "resources") for (const resource of part.value.resources) resources.push(resource);
  }
  // A stream that ends early would read as resources that were deleted.
  if (header === undefined || BigInt(resources.length) !== header.resourceCount) {
    const counted = `${resources.length} of ${header?.resourceCount ?? "an unknown number of"} resources came`;
    throw new CliFailure(exitCode.failed, `the control plane's answer was cut off: ${counted}`);
  }
  resources.sort((left, right) => compareNames(nameOf(left), nameOf(right)));
  return {
    revision: header.revision,
    resources: new Map(resources.map((resource) => [nameOf(resource), resource])),
  };
}

/**
 * Farms before listeners, and what is inside of one directly after it: the order in which a person would write them.
 * The slash sorts before everything that a name may hold, so that `farms/a/servers/s` comes before `farms/a-b`.
 */
export function compareNames(left: string, right: string): number {
  const [a, b] = [left.replaceAll("/", "\u0000"), right.replaceAll("/", "\u0000")];
  return a < b ? -1 : a > b ? 1 : 0;
}
