import { type ImportRule, matches } from "./import-rules.ts";
import { importsOf } from "./imports.ts";
import { type Law, lawPerFile, type Violation } from "./law.ts";
import { isScript, isTest, type SourceFile } from "./tree.ts";

export function importLaw(rule: ImportRule): Law {
  return lawPerFile(rule.law, (file) => {
    if (!isScript(file) || !matches(file.path, rule.from) || matches(file.path, rule.except ?? [])) return [];
    const violations: Violation[] = [];
    for (const { line, target } of importsOf(file)) {
      if (target === undefined) continue;
      const allowed = "only" in rule ? matches(target, rule.only) : !matches(target, rule.never);
      if (!allowed) violations.push({ path: file.path, line, says: `imports ${target}` });
    }
    return violations;
  });
}

/**
 * What is imported by a computed name escapes all the rules, so sources do not do that. The door of the command line may:
 * it is plain JavaScript that loads what the build made. Benches may: they load whichever engine they are told to measure.
 */
const mayComputeImports = ["cli/switchyard.mjs", "bench/**"];

export const importsAreLiteral: Law = lawPerFile("An import names its target in plain text.", (file) => {
  if (!isScript(file) || isTest(file) || matches(file.path, mayComputeImports)) return [];
  return importsOf(file)
    .filter(({ target }) => target === undefined)
    .map(({ line }) => ({ path: file.path, line, says: "imports by a computed name" }));
});

export const noImportCycles: Law = {
  name: "Imports, those of types too, never go round in a circle.",
  check: (files) => {
    const scripts = new Map(files.filter(isScript).map((file) => [file.path, file]));
    const finished = new Set<string>();
    const violations: Violation[] = [];
    const visit = (file: SourceFile, trail: readonly string[]): void => {
      for (const { line, target } of importsOf(file)) {
        const next = scripts.get(target ?? "");
        if (next === undefined || finished.has(next.path)) continue;
        const from = trail.indexOf(next.path);
        if (from === -1) visit(next, [...trail, next.path]);
        else violations.push({ path: file.path, line, says: [...trail.slice(from), next.path].join(" → ") });
      }
      finished.add(file.path);
    };
    for (const file of scripts.values()) if (!finished.has(file.path)) visit(file, [file.path]);
    return violations;
  },
};
