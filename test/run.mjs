/**
 * `npm test`: every proof there is, in stages, cheapest first. It stops at the first stage that fails; within the vitest
 * stage all tests run. The last line is `N passed, N failed`, in tests; a stage that fails without a failed test counts
 * as one. `npm test -- path/or/filter` runs vitest alone with those arguments.
 *
 * Plain JavaScript, because it runs before anything is built.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";

const root = join(import.meta.dirname, "..");
const scratch = mkdtempSync(join(tmpdir(), "switchyard-test-"));
const reportFile = join(scratch, "vitest.json");

/** Past this a stage is hung: it is stopped, and has failed. */
const stageTimeoutMs = 25 * 60_000;

const hellosFuzzed = 200_000;

/** Failed tests that are named again at the end, where who looks at the end of a long log finds them. */
const failuresNamed = 20;

/** @type {readonly { readonly name: string, readonly run: () => boolean }[]} */
const stages = [
  { name: "tools", run: () => command("sh", "test/install-tools.sh") },
  { name: "build", run: () => command("npm", "run", "--silent", "build") },
  { name: "types", run: () => command("tsc", "-p", "tsconfig.json") },
  { name: "lint", run: () => command("oxlint", "--type-aware", "--deny-warnings") },
  { name: "format", run: () => command("biome", "format", ".") },
  { name: "wire contract: lint", run: () => command("buf", "lint") },
  { name: "wire contract: breaking changes", run: () => breaksNothingOnTheWire() },
  { name: "dead code", run: () => command("knip") },
  { name: "tests", run: () => tests([]) },
  { name: "native stress: ASAN and UBSAN, TSAN", run: () => command("sh", "dataplane/native/stress/run.sh", "short") },
  { name: "native engine's contract: ASAN and UBSAN", run: () => command("node", "test/run-sanitized.mjs") },
  { name: "hello fuzz", run: () => command("node", "dist/bench/hello-fuzz.js", "--count", String(hellosFuzzed)) },
];

/** Runs a program, its output straight to ours. The packages' programs are found as npm finds them. */
function command(program, ...args) {
  const path = [join(root, "node_modules/.bin"), process.env["PATH"] ?? ""].join(delimiter);
  const ended = spawnSync(program, args, {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, PATH: path },
    timeout: stageTimeoutMs,
    killSignal: "SIGKILL",
  });
  if (ended.error !== undefined) console.error(`${program}: ${ended.error.message}`);
  else if (ended.signal !== null) console.error(`${program}: ended by ${ended.signal}`);
  return ended.status === 0;
}

/**
 * Compares proto/ with what the main branch has. Where that can't be had (a shallow clone of another branch, an
 * archive without history) proto/ is compared with itself, which still proves the configuration.
 */
function breaksNothingOnTheWire() {
  const base = ["origin/main", "main"].find((branch) => git("cat-file", "-e", `${branch}:proto`).status === 0);
  if (base === undefined) {
    console.log("no main branch here to compare with; only the configuration is proved");
    return command("buf", "breaking", "--against", ".");
  }
  const archive = join(scratch, "main.tar");
  const archived = git("archive", "-o", archive, base, "buf.yaml", "proto");
  if (archived.status !== 0) {
    console.error(archived.stderr.toString());
    return false;
  }
  console.log(`against ${base}`);
  return command("buf", "breaking", "--against", archive);
}

function git(...args) {
  return spawnSync("git", args, { cwd: root, stdio: ["ignore", "ignore", "pipe"] });
}

function tests(args) {
  return command("vitest", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`, ...args);
}

/**
 * What vitest counted. A file that could not be loaded is one failed test; so is a test that did not run (skipped, or
 * left to do), and a run in which nothing ran at all.
 */
function countTests() {
  let report;
  try {
    report = JSON.parse(readFileSync(reportFile, "utf8"));
  } catch {
    return { passed: 0, failed: 1, why: "vitest left no report" };
  }
  const notLoaded = report.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0);
  const notRun = report.numPendingTests + report.numTodoTests;
  const ran = report.numPassedTests + report.numFailedTests;
  const failed = report.numFailedTests + notLoaded.length + notRun;
  const failedTests = report.testResults.flatMap((file) =>
    file.assertionResults
      .filter((test) => test.status === "failed")
      .map((test) => `failed: ${relative(root, file.name)}: ${test.fullName}: ${firstLine(test.failureMessages[0])}`),
  );
  const why = [
    ...failedTests.slice(0, failuresNamed),
    ...notLoaded.map((file) => `not loaded: ${file.name}`),
    ...(notRun > 0 ? [`${notRun} tests did not run`] : []),
    ...(ran === 0 ? ["no test ran"] : []),
  ].join("\n");
  return { passed: report.numPassedTests, failed: ran === 0 ? Math.max(failed, 1) : failed, why };
}

/** Without the colours that it has for a terminal. */
function firstLine(message = "") {
  return stripVTControlCharacters(message).split("\n", 1)[0].slice(0, 200);
}

function seconds(sinceMs) {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
}

const filter = process.argv.slice(2);
const chosen = filter.length === 0 ? stages : [{ name: "tests", run: () => tests(filter) }];
const count = { passed: 0, failed: 0 };
const timings = [];

for (const stage of chosen) {
  console.log(`\n== ${stage.name}`);
  const startedMs = performance.now();
  let kept = stage.run();
  if (stage.name === "tests") {
    const counted = countTests();
    if (counted.why !== "") console.error(counted.why);
    count.passed += counted.passed;
    count.failed += counted.failed;
    kept &&= counted.failed === 0;
  }
  timings.push(`${kept ? "ok    " : "FAILED"} ${seconds(startedMs).padStart(8)}  ${stage.name}`);
  if (!kept) {
    if (count.failed === 0) count.failed = 1;
    break;
  }
}
rmSync(scratch, { recursive: true, force: true });

console.log(`\n${timings.join("\n")}\n`);
console.log(`${count.passed} passed, ${count.failed} failed`);
process.exitCode = count.failed === 0 ? 0 : 1;
