import { isRolloutName } from "../../model/resource-name.ts";
import { CliFailure } from "../cli-failure.ts";
import { parseRevision } from "../client/revision-argument.ts";
import { exitCode } from "../exit-code.ts";
import { parseTarget } from "../target-argument.ts";

/** `rollouts/r12`, or `r12` for short. Left out, it is the one under way, or else the newest: what the API means by no name. */
export function rolloutName(word: string | undefined): string {
  if (word === undefined) return "";
  const name = word.startsWith("rollouts/") ? word : `rollouts/${word}`;
  if (isRolloutName(name)) return name;
  throw new CliFailure(
    exitCode.usage,
    `${word} is not the name of a rollout: rollouts/r12, or r12; \`switchyard rollout list\``,
  );
}

/** `rolloutPolicies/careful`, or `careful` for short; left out, the default one. */
export function policyName(word: string | undefined): string {
  return word === undefined ? "" : (parseTarget(["rolloutpolicy", word], undefined).names[0] ?? word);
}

/** A revision to release: on the wire, 0 is the newest that changed the configuration, which `head` means here. */
export function targetRevision(word: string | undefined): bigint {
  if (word === undefined) return 0n;
  const revision = parseRevision(word);
  if (revision === 0n)
    throw new CliFailure(exitCode.usage, "revision 0 is before any commit: there is nothing to release");
  return revision === "head" ? 0n : revision;
}
