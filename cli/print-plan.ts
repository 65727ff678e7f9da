import type { Plan, Write } from "../proto/gen/switchyard/config/v1/config_service.ts";
import type { CliContext } from "./context.ts";
import { print } from "./context.ts";
import { planLines, planSummary } from "./output/plan-text.ts";

const nothing: Plan = { changes: [], unchangedCount: 0 };

/** Prints what a command has changed, or would change, and the revision that came of it. */
export async function printPlan(
  context: CliContext,
  answer: { readonly plan?: Plan | undefined; readonly revision: bigint },
  options: { readonly write: Write; readonly quiet: boolean },
): Promise<void> {
  const plan = answer.plan ?? nothing;
  if (!options.quiet) await print(context, planLines(context, plan));
  const summary = planSummary(plan, options.write.validateOnly ? "planned" : "done");
  if (options.write.validateOnly) await print(context, `dry run: ${summary}; still at revision ${answer.revision}\n`);
  else if (plan.changes.length === 0) await print(context, `${summary}; still at revision ${answer.revision}\n`);
  else await print(context, `${summary}; now at revision ${answer.revision}\n`);
}
