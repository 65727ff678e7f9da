import { kindOfName, nameShape } from "../model/resource-name.ts";
import type { ResourceKind } from "../model/resource-name.ts";
import { CliFailure } from "./cli-failure.ts";
import { exitCode } from "./exit-code.ts";

export type TargetKind = ResourceKind | "node" | "all";

const kindWords: ReadonlyMap<string, TargetKind> = new Map([
  ...(["listener", "route", "farm", "server", "node"] as const).flatMap((kind) =>
    [kind, `${kind}s`, kind.slice(0, 1)].map((word) => [word, kind] as const),
  ),
  ...["rolloutpolicy", "rolloutpolicies", "rolloutPolicy", "rolloutPolicies", "policy", "policies", "p"].map(
    (word) => [word, "rolloutPolicy"] as const,
  ),
  ["all", "all"],
]);

/** Kinds as sentences have them. */
export const kindText: Record<ResourceKind, { readonly one: string; readonly many: string }> = {
  listener: { one: "listener", many: "listeners" },
  route: { one: "route", many: "routes" },
  farm: { one: "farm", many: "farms" },
  server: { one: "server", many: "servers" },
  rolloutPolicy: { one: "rollout policy", many: "rollout policies" },
};

export interface Target {
  readonly kind: TargetKind;
  /** Full names; empty for everything of the kind. */
  readonly names: readonly string[];
}

/**
 * What `KIND [NAME...]` or `NAME...` mean. Names may be full (`farms/web/servers/a`) or, after a kind, short
 * (`web/a`, or `a` with the parent `web` or `farms/web`).
 */
export function parseTarget(words: readonly string[], parent: string | undefined): Target {
  const [first = "", ...rest] = words;
  const kind = kindWords.get(first);
  if (kind !== undefined) return { kind, names: rest.map((word) => fullName(kind, word, parent)) };
  const kinds = words.map(kindOf);
  const [found] = kinds;
  if (found === undefined)
    throw new CliFailure(
      exitCode.usage,
      `${first} is neither a kind nor a name: ${kindList}, or a name like farms/web`,
    );
  const stray = words.find((_, index) => kinds[index] !== found);
  if (stray !== undefined)
    throw new CliFailure(exitCode.usage, `${stray} is not the name of a ${textOf(found)}, as ${first} is`);
  return { kind: found, names: words };
}

const kindList = "listeners, routes, farms, servers, rolloutpolicies, nodes, all";

function textOf(kind: ResourceKind | "node"): string {
  return kind === "node" ? kind : kindText[kind].one;
}

/** The kind of a full name. */
export function kindOf(name: string): ResourceKind | "node" | undefined {
  return /^nodes\/[^/]+$/.test(name) ? "node" : kindOfName(name);
}

function fullName(kind: TargetKind, word: string, parent: string | undefined): string {
  if (kind === "all") throw new CliFailure(exitCode.usage, `\`all\` takes no names, and here is ${word}`);
  if (kind === "node") return word.startsWith("nodes/") ? word : `nodes/${word}`;
  const candidates = [word, expand(kind, parent === undefined ? word : `${shortParent(parent)}/${word}`)];
  const name = candidates.find((candidate) => kindOfName(candidate) === kind);
  if (name !== undefined) return name;
  const shape = nameShape[kind];
  const short = kind === "route" ? "LISTENER/ROUTE" : kind === "server" ? "FARM/SERVER" : "its last part";
  throw new CliFailure(
    exitCode.usage,
    `${word} is not the name of a ${kindText[kind].one}: ${shape}, or ${short} for short`,
  );
}

/** `edge/shop` to `listeners/edge/routes/shop`. */
function expand(kind: ResourceKind, short: string): string {
  const [outer = "", ...inner] = short.split("/");
  switch (kind) {
    case "listener":
      return `listeners/${short}`;
    case "farm":
      return `farms/${short}`;
    case "route":
      return `listeners/${outer}/routes/${inner.join("/")}`;
    case "server":
      return `farms/${outer}/servers/${inner.join("/")}`;
    case "rolloutPolicy":
      return `rolloutPolicies/${short}`;
  }
}

/** What a list call takes as the parent of a kind; `-` stands for every one. */
export function fullParent(kind: TargetKind, parent: string | undefined): string {
  if (kind !== "route" && kind !== "server") {
    if (parent !== undefined) throw new CliFailure(exitCode.usage, "--parent narrows routes and servers only");
    return "";
  }
  return `${kind === "route" ? "listeners" : "farms"}/${parent === undefined ? "-" : shortParent(parent)}`;
}

function shortParent(parent: string): string {
  return parent.replace(/^(?:listeners|farms)\//, "");
}
