// Builds the native engine with the node-gyp that npm carries. The engine is an option: where it can't be built, this
// says so in one line and succeeds, and the node uses the portable engine. With --required it fails instead (CI).
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const required = process.argv.includes("--required");

/** One line that says why, and the end of this process. */
function unavailable(why) {
  console.error(`native engine not built (${why}): the portable engine will be used`);
  process.exit(required ? 1 : 0);
}

/** npm's own node-gyp: npm names it for install scripts, else it lies beside the npm of this Node. */
function nodeGyp() {
  const beside = [join(dirname(process.execPath), ".."), "/usr/share/nodejs"].flatMap((prefix) => [
    join(prefix, "lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js"),
    join(prefix, "node-gyp/bin/node-gyp.js"),
  ]);
  return [process.env.npm_config_node_gyp, ...beside].find((path) => path !== undefined && existsSync(path));
}

if (process.platform !== "linux") unavailable(`${process.platform} is not Linux`);
const compiler = process.env.CXX ?? "c++";
if (spawnSync(compiler, ["--version"]).status !== 0) unavailable(`no C++ compiler "${compiler}"; Debian: g++`);
if (spawnSync("make", ["--version"]).status !== 0) unavailable("no make; Debian: make");
const gyp = nodeGyp();
if (gyp === undefined) unavailable("no node-gyp beside npm");

// Headers that came with this Node spare a download.
const prefix = join(dirname(process.execPath), "..");
const nodedir = existsSync(join(prefix, "include/node/node_api.h")) ? [`--nodedir=${prefix}`] : [];
const built = spawnSync(process.execPath, [gyp, "rebuild", "--directory", here, ...nodedir], { encoding: "utf8" });
if (built.status !== 0) {
  const said = `${built.stdout ?? ""}${built.stderr ?? ""}`;
  if (required) console.error(said);
  const line = said.split("\n").find((text) => /error/i.test(text)) ?? "node-gyp failed";
  unavailable(line.trim().slice(0, 200));
}
