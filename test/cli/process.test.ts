import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runTool } from "../support/run-tool.ts";
import type { ToolRun } from "../support/run-tool.ts";
import { waitFor } from "../support/wait-for.ts";
import type { RealControlPlane } from "./real-control-plane.ts";
import { realControlPlane } from "./real-control-plane.ts";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const shim = join(checkout, "cli/switchyard.mjs");

/** What makes a node of any version say that it is another one. */
const pretend = (version: string): string =>
  `Object.defineProperty(process, "version", { value: "v${version}" });
   Object.defineProperty(process, "versions", { value: { node: "${version}" } });`;

describe("the door of the command line", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "switchyard-shim-"));
    mkdirSync(join(folder, "cli"));
    copyFileSync(shim, join(folder, "cli/switchyard.mjs"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const open = (...nodeWords: readonly string[]): Promise<ToolRun> =>
    runTool(process.execPath, [...nodeWords, join(folder, "cli/switchyard.mjs"), "status"], "nodejs");

  it("says in one line that it is not built", async () => {
    expect(await open()).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: "switchyard: not built yet; run `npm run build` (`npm ci` does it too)\n",
    });
  });

  it.each([
    ["18.20.4", false],
    ["20.18.3", false],
    ["20.19.0", true],
    ["22.0.0", true],
    ["100.1.0", true],
  ])("on Node %s: opens %s", async (version, opens) => {
    mkdirSync(join(folder, "dist/cli"), { recursive: true });
    writeFileSync(join(folder, "package.json"), '{"type": "module"}');
    writeFileSync(join(folder, "dist/cli/main.js"), 'process.stdout.write("opened");');
    writeFileSync(join(folder, "pretend.cjs"), pretend(version));
    const refused = `switchyard: needs Node.js 20.19 or newer; this is v${version}\n`;
    expect(await open("--require", join(folder, "pretend.cjs"))).toEqual(
      opens ? { exitCode: 0, stdout: "opened", stderr: "" } : { exitCode: 1, stdout: "", stderr: refused },
    );
  });

  it("is plain enough for Node 12: no syntax of later years", () => {
    const text = readFileSync(shim, "utf8");
    expect(text.startsWith("#!/usr/bin/env node\n")).toBe(true);
    expect(text).not.toMatch(/\?\.|\?\?|\bawait\b|"node:|\|\|=/);
  });
});

describe("the built command", () => {
  let controlPlane: RealControlPlane;
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    if (!existsSync(join(checkout, "dist/cli/main.js"))) throw new Error("dist/ is missing: run `npm run build`");
    controlPlane = await realControlPlane();
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    await controlPlane.close();
  });

  const words = (line: string): string[] => [shim, "--server", controlPlane.address, ...line.split(" ")];
  const run = (line: string, stdin = ""): Promise<ToolRun> => runTool(process.execPath, words(line), "nodejs", stdin);
  const farms = Array.from({ length: 5000 }, (_, index) => `- farm: {name: farms/f${index}}\n`).join("");

  it("ends with the code and the text of its verb", async () => {
    expect(await run("apply -q -f -", "farm: {name: farms/a}")).toEqual({
      exitCode: 0,
      stdout: "1 created; now at revision 1\n",
      stderr: "",
    });
    expect((await run("diff 0 1")).exitCode).toBe(4);
    expect((await run("get farms/b")).exitCode).toBe(1);
    expect((await run("frob")).exitCode).toBe(2);
    expect((await run("get farms --server 127.0.0.1:1")).exitCode).toBe(3);
  });

  it("gives the whole of a long output through a pipe", async () => {
    await run("apply -q -f -", farms);
    const { exitCode, stdout } = await run("get all -o yaml");
    expect(exitCode).toBe(0);
    expect(stdout.match(/^farm:$/gm)).toHaveLength(5000);
  });

  it("ends quietly when the reader of its output has seen enough", async () => {
    await run("apply -q -f -", farms);
    const child = spawn(process.execPath, words("get all -o yaml"), { stdio: ["ignore", "pipe", "pipe"] });
    children.push(child);
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    await once(child.stdout, "readable");
    child.stdout.destroy();
    const [code] = (await once(child, "close")) as [number | null];
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  it("follows until it is interrupted, and ends with 0 then", async () => {
    await run("apply -q -f - --reason seen", "farm: {name: farms/a}");
    const child = spawn(process.execPath, words("history --follow"), { stdio: ["ignore", "pipe", "pipe"] });
    children.push(child);
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    await waitFor("the history", () => stdout.includes("seen"));
    child.kill("SIGINT");
    const [code] = (await once(child, "exit")) as [number | null];
    expect(code).toBe(0);
  });
});
