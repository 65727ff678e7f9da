import type { Change, Configuration } from "../../model/configuration.ts";
import { difference } from "../../model/difference.ts";
import { etagOf } from "../../model/digest.ts";
import type { ConfigEvent } from "../../model/event.ts";
import type { ReleaseEvent } from "../../model/release-event.ts";
import type { ResourceName } from "../../model/resource-name.ts";
import type { Violation } from "../../model/violation.ts";
import { checkDraft } from "./check-draft.ts";
import type { Command, Refusal, Wish } from "./command.ts";
import type { ConfigurationIndex } from "./configuration-index.ts";
import { decideRollout } from "./decide-rollout.ts";
import { Draft } from "./draft.ts";
import { refusal } from "./refusal.ts";

/** What a command comes to, in the order of the events; nothing where everything is so already. */
export interface Decision {
  readonly changes: readonly Change[];
  /** Steps of a rollout; a command that has them changes nothing else. */
  readonly releases: readonly ReleaseEvent[];
}

/** What the decider looks at: a configuration, and its index in step. */
export interface DecisionState {
  readonly configuration: Configuration;
  readonly index: ConfigurationIndex;
}

/** Decides one command: all of its changes, or a refusal that names everything that is wrong. Pure. */
export function decide(state: DecisionState, command: Command): Decision | Refusal {
  if (command.type === "rollout") return decideRollout(state.configuration, command.step);
  const draft = new Draft(state.configuration);
  const refusal = enter(draft, state, command);
  if (refusal !== undefined) return refusal;
  const violations = checkDraft(draft, state.index);
  if (violations.length > 0) return { refused: "CONFIGURATION_CONFLICT", violations };
  return { changes: draft.changes(), releases: [] };
}

/** The facts that changes are recorded as. */
export function eventsOf(changes: readonly Change[]): readonly ConfigEvent[] {
  return changes.map(({ before, after }): ConfigEvent => {
    if (after === null) return { type: "deleted", name: (before as NonNullable<typeof before>).name };
    return { type: before === null ? "created" : "updated", resource: after };
  });
}

function enter(
  draft: Draft,
  state: DecisionState,
  command: Exclude<Command, { type: "rollout" }>,
): Refusal | undefined {
  switch (command.type) {
    case "create": {
      const { resource, path } = command.wish;
      if (draft.stored(resource.name) !== undefined)
        return refusal("ALREADY_EXISTS", `${path}.name`, "conflict", `${resource.name} exists already`);
      draft.put(resource, path);
      return undefined;
    }
    case "update": {
      const { resource, path } = command.wish;
      if (draft.stored(resource.name) === undefined) return notFound(resource.name, `${path}.name`);
      draft.put(resource, path);
      return etagRefusal(draft, [command.wish]);
    }
    case "delete":
      return enterDelete(draft, state, command);
    case "apply":
      return enterApply(draft, state, command.wishes, command.prune);
    case "revert":
      for (const { before, after } of difference(state.configuration, command.target)) {
        if (after === null) draft.remove((before as NonNullable<typeof before>).name, "");
        else draft.put(after, "");
      }
      return undefined;
  }
}

function enterDelete(
  draft: Draft,
  state: DecisionState,
  { name, etag, force }: Extract<Command, { type: "delete" }>,
): Refusal | undefined {
  const stored = draft.stored(name);
  if (stored === undefined) return notFound(name, "name");
  if (etag !== "" && etag !== etagOf(stored))
    return refusal("ETAG_MISMATCH", "etag", "conflict", `${name} has changed: its etag is ${etagOf(stored)}`);
  draft.remove(name, "");
  if (force) for (const child of state.index.children(name)) draft.remove(child, "");
  return undefined;
}

function enterApply(draft: Draft, state: DecisionState, wishes: readonly Wish[], prune: boolean): Refusal | undefined {
  const named = new Map<ResourceName, string>();
  const violations: Violation[] = [];
  for (const { resource, path } of wishes) {
    const first = named.get(resource.name);
    if (first !== undefined) {
      const description = `${resource.name} stands in the set twice, first at ${first}`;
      violations.push({ field: `${path}.name`, reason: "duplicate", description });
    }
    named.set(resource.name, path);
    draft.put(resource, path);
  }
  if (violations.length > 0) return { refused: "INVALID_FIELD", violations };
  if (prune)
    for (const resource of state.configuration.resources())
      if (!named.has(resource.name)) draft.remove(resource.name, "");
  return etagRefusal(draft, wishes);
}

function etagRefusal(draft: Draft, wishes: readonly Wish[]): Refusal | undefined {
  const violations: Violation[] = [];
  for (const { resource, path, etag } of wishes) {
    if (etag === "") continue;
    const stored = draft.stored(resource.name);
    const actual = stored === undefined ? undefined : etagOf(stored);
    if (actual === etag) continue;
    const state = actual === undefined ? "does not exist" : `has changed: its etag is ${actual}`;
    violations.push({ field: `${path}.etag`, reason: "conflict", description: `${resource.name} ${state}` });
  }
  return violations.length === 0 ? undefined : { refused: "ETAG_MISMATCH", violations };
}

function notFound(name: string, field: string): Refusal {
  return refusal("NOT_FOUND", field, "unknown_reference", `there is no ${name}`);
}
