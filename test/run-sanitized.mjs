/**
 * The native engine's contract with its addon built under ASAN and UBSAN: `npm run test:sanitized`, and a stage of
 * `npm test`. The sources and tests are copied beside an addon of their own, so that the one in use stays as it is.
 *
 * Leaks are not looked for: Node lets go of most of its memory by ending. The stress program, which is without Node,
 * looks for them. TSAN is left to it too: Node and its other addons are not built with it, so that it takes what they do
 * under locks of their own for races (189 reports in a minute of the contract, none of which was in the engine).
 */
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..");
const copied = ["dataplane", "model", "proto", "test", "package.json", "tsconfig.json", "vitest.config.ts"];
const nativePath = "dataplane/native";
const compiler = process.env.CXX ?? "c++";
const sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];
const timeoutMs = 5 * 60_000;

function run(program, args, options = {}) {
  const ended = spawnSync(program, args, { stdio: ["ignore", "inherit", "inherit"], timeout: timeoutMs, ...options });
  if (ended.error !== undefined) console.error(`${program}: ${ended.error.message}`);
  return ended.status === 0;
}

/** The folder of `node_api.h`: beside this Node, or where node-gyp has put it. */
function headers() {
  const beside = join(dirname(process.execPath), "../include/node");
  const home = process.env.HOME ?? "";
  const version = process.version.slice(1);
  const fetched = [".cache/node-gyp", ".node-gyp"].map((folder) => join(home, folder, version, "include/node"));
  const found = [beside, ...fetched].find((folder) => existsSync(join(folder, "node_api.h")));
  if (found === undefined) console.error("no node_api.h beside this Node; `npm run build:native` fetches it");
  return found;
}

/** Builds the addon to where the tests of `tree` look for it; as many files at once as there are cores. */
async function buildAddon(tree) {
  const include = headers();
  if (include === undefined) return false;
  const sources = join(root, nativePath, "src");
  const files = readdirSync(sources).filter((name) => name.endsWith(".cc"));
  const into = join(tree, nativePath, "build/Release");
  const objects = join(tree, "objects");
  for (const folder of [into, objects]) mkdirSync(folder, { recursive: true });
  const language = ["-std=c++20", "-fno-exceptions", "-fno-rtti", "-O1", "-g", "-pthread", "-fPIC"];
  const defines = ["-DNAPI_VERSION=8", "-DNODE_GYP_MODULE_NAME=switchyard_engine"];
  const left = [...files];
  const lane = async () => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      const paths = ["-c", join(sources, name), "-o", join(objects, `${name}.o`)];
      if (!(await compiles([...language, ...defines, ...sanitizers, `-I${include}`, ...paths]))) return false;
    }
    return true;
  };
  const built = await Promise.all(Array.from({ length: availableParallelism() }, lane));
  if (built.includes(false)) return false;
  const linked = files.map((name) => join(objects, `${name}.o`));
  return compiles(["-shared", ...sanitizers, ...linked, "-o", join(into, "switchyard_engine.node")]);
}

function compiles(args) {
  return new Promise((resolve) => {
    const child = spawn(compiler, args, { stdio: ["ignore", "inherit", "inherit"] });
    child.once("error", (error) => {
      console.error(`${compiler}: ${error.message}`);
      resolve(false);
    });
    child.once("close", (code) => resolve(code === 0));
  });
}

/** The sanitizers' own libraries, which must be loaded before all others. */
function runtimes() {
  return ["libasan.so", "libubsan.so"].map((name) =>
    spawnSync(compiler, [`-print-file-name=${name}`], { encoding: "utf8" }).stdout.trim(),
  );
}

const tree = mkdtempSync(join(tmpdir(), "switchyard-sanitized-"));
let kept = false;
try {
  const built = join(root, nativePath, "build");
  for (const name of copied)
    cpSync(join(root, name), join(tree, name), { recursive: true, filter: (path) => !path.startsWith(built) });
  symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
  const tests = ["node_modules/vitest/vitest.mjs", "run", "test/contract/native-engine.test.ts"];
  const env = {
    ...process.env,
    LD_PRELOAD: runtimes().join(" "),
    ASAN_OPTIONS: "detect_leaks=0",
    UBSAN_OPTIONS: "print_stacktrace=1",
  };
  kept = (await buildAddon(tree)) && run(process.execPath, tests, { cwd: tree, env });
} finally {
  rmSync(tree, { recursive: true, force: true });
}
process.exitCode = kept ? 0 : 1;
