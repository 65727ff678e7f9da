import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exitCode } from "../../cli/exit-code.ts";
import { runVerb } from "./run-verb.ts";

const verbs = [
  "up",
  "controlplane",
  "node",
  "init",
  "apply",
  "get",
  "delete",
  "history",
  "show",
  "diff",
  "revert",
  "rollout",
  "drain",
  "ready",
  "maintenance",
  "explain",
  "status",
  "affinity",
  "nodes",
  "log",
];

describe("a command line that is wrong ends with code 2, and is told in one line", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["frob", /^switchyard: unknown command 'frob'/],
    ["apply", /^switchyard: required option '-f, --file <file\.\.\.>' not specified/],
    ["apply -f a.yaml --frob", /^switchyard: unknown option '--frob'/],
    ["get", /^switchyard: missing required argument 'kind'/],
    ["get frobs", /^switchyard: frobs is neither a kind nor a name/],
    ["get farms -o xml", /^switchyard: option '-o, --output <form>' argument 'xml' is invalid/],
    ["get farms --parent web", /^switchyard: --parent narrows routes and servers only/],
    ["delete farms", /^switchyard: no name: which farm is to be deleted\?/],
    ["delete all", /^switchyard: only listeners, routes, farms, servers and rollout policies can be deleted/],
    ["delete farm a b --request-id x", /^switchyard: --request-id is for one commit/],
    ["drain farms/web", /^switchyard: farms\/web is not the name of a server: farms\/web\/servers\/a, or web\/a/],
    ["drain", /^switchyard: missing required argument 'server'/],
    ["drain web/a --wait --dry-run", /^switchyard: --wait and --dry-run do not go together/],
    ["drain web/a --wait --timeout soon", /^switchyard: --timeout must be a time/],
    ["ready web/a --wait", /^switchyard: unknown option '--wait'/],
    ["affinity web a", /^switchyard: too many arguments/],
    ["affinity web/a", /^switchyard: web\/a is not the name of a farm/],
    ["get policies --parent web", /^switchyard: --parent narrows routes and servers only/],
    ["get policies Careful", /^switchyard: Careful is not the name of a rollout policy: rolloutPolicies\/\{policy\}/],
    ["rollout frob", /^switchyard: unknown command 'frob'/],
    ["rollout start --watch --dry-run", /^switchyard: --watch and --dry-run do not go together/],
    ["rollout status --exit-on-pause", /^switchyard: --exit-on-pause is for --watch/],
    ["rollout start --revision 0", /^switchyard: revision 0 is before any commit/],
    ["rollout start --revision soon", /^switchyard: a revision is a whole number/],
    ["rollout start --policy farms/web", /^switchyard: farms\/web is not the name of a rollout policy/],
    ["rollout status R12", /^switchyard: R12 is not the name of a rollout: rollouts\/r12, or r12/],
    ["rollout list -n 0", /^switchyard: option '-n, --limit <count>' argument '0' is invalid/],
    ["rollout pause --all", /^switchyard: unknown option '--all'/],
    ["rollout emergency --reason x", /^switchyard: required option '--token-file <file>' not specified/],
    ["rollout emergency --token-file /nowhere/t", /^switchyard: an emergency needs a --reason/],
    ["rollout emergency --token-file /nowhere/t --reason x", /^switchyard: --token-file \/nowhere\/t: no such file\n$/],
    ["show last", /^switchyard: a revision is a whole number, or `head`, not last/],
    ["diff 1 -1", /^switchyard: a revision is a whole number, or `head`, not -1/],
    ["diff 1 18446744073709551616", /^switchyard: a revision is a whole number/],
    ["history -n many", /^switchyard: --limit must be a whole number, not many/],
    ["status --server nowhere", /^switchyard: --server must be HOST:PORT/],
    ["status --timeout 5", /^switchyard: --timeout must be a time such as 30s/],
    ["apply -f - -f -", /^switchyard: standard input \(-\) can be read only once/],
    ["apply -f /nowhere/a.yaml", /^\/nowhere\/a\.yaml: no such file or directory\nswitchyard: nothing was sent\n$/],
  ];
  it.each(cases)("%s", async (line, message) => {
    const { code, stdout, stderr } = await runVerb(line.split(" "));
    expect({ code, stdout }).toEqual({ code: exitCode.usage, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it("files that can't be read as text, each by its name", async () => {
    const folder = mkdtempSync(join(tmpdir(), "switchyard-files-"));
    try {
      writeFileSync(join(folder, "a.txt"), "no manifest");
      writeFileSync(join(folder, "latin1"), Buffer.from("farm: {name: \xE9}", "latin1"));
      const { code, stderr } = await runVerb(["apply", "-f", folder, join(folder, "latin1"), join(folder, "gone")]);
      expect({ code, stderr }).toEqual({
        code: exitCode.usage,
        stderr:
          `${folder}: no .yaml, .yml or .json file in this directory\n${folder}/latin1: not UTF-8 text\n` +
          `${folder}/gone: no such file or directory\nswitchyard: nothing was sent\n`,
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("--help", () => {
  it("names every verb and every exit code", async () => {
    const { code, stdout } = await runVerb(["--help"]);
    expect(code).toBe(0);
    for (const verb of verbs) expect(stdout).toMatch(new RegExp(`^  ${verb} `, "m"));
    const listed = [...stdout.matchAll(/^ {2,4}(\d+) {2}\S/gm)].map((match) => Number(match[1]));
    expect(listed).toEqual(Object.values(exitCode));
  });

  it.each(verbs)("of %s has an example that begins with it", async (verb) => {
    const { code, stdout } = await runVerb([verb, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^ {2}\\$ switchyard ${verb}\\b`, "m"));
    expect(stdout).toContain("--server <host:port>");
  });

  const steps = ["plan", "start", "status", "list", "pause", "resume", "promote", "abort", "rollback", "emergency"];
  it.each(steps)("of rollout %s too, and where it watches, what it ends with", async (step) => {
    const { code, stdout } = await runVerb(["rollout", step, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^ {2}\\$ switchyard rollout ${step}\\b`, "m"));
    if (stdout.includes("--watch"))
      expect(stdout).toContain(`${exitCode.rolledBack} rolled back, ${exitCode.aborted} aborted`);
  });
});
