import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkout, RunningSwitchyard } from "./running-switchyard.ts";

let folder: string;
let running: RunningSwitchyard | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "switchyard-start-"));
});

afterEach(async () => {
  await running?.end("SIGKILL");
  running = undefined;
  rmSync(folder, { recursive: true });
});

/** What `npm start` runs, in a folder of its own. */
async function start(...words: string[]): Promise<RunningSwitchyard> {
  running = new RunningSwitchyard(["up", "--demo", ...words], folder);
  await running.printed(/npx switchyard get all/);
  return running;
}

/** Runs a line that was printed, as a person would paste it; `npx switchyard` is the checkout's own command. */
function paste(line: string): string {
  const text = line.replace("npx switchyard", `${process.execPath} ${join(checkout, "cli/switchyard.mjs")}`);
  const ended = spawnSync("sh", ["-c", text], { cwd: folder, encoding: "utf8", timeout: 30_000 });
  return ended.stdout + ended.stderr;
}

function printedLines(of: RunningSwitchyard): readonly string[] {
  return of.stdout.split("\n").map((line) => line.trim());
}

describe("npm start", () => {
  test("is `switchyard up --demo`", () => {
    const { scripts } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as {
      scripts: { start: string };
    };
    expect(scripts.start).toBe("node cli/switchyard.mjs up --demo");
  });

  test("prints lines that work as printed, and shows the demo's servers behind both listeners", async () => {
    const lines = printedLines(await start()).filter((line) => /^(curl|openssl|npx) /.test(line));
    const answers = lines.map((line) => paste(line));
    const expected = [
      /^app1-[ab]: reached by the name app1\.demo\.test/,
      /^app2-[ab]: reached by the name app2\.demo\.test/,
      /^sorry-a: reached by the name other\.demo\.test/,
      /^sorry-a: reached by no name/,
      /^s1: reached by the name s1\.demo\.test/,
      /^subject=CN = s2$/m,
      /^outcome +farm farms\/app1$/m,
      /^farms\/app1\/servers\/app1-a /m,
    ];
    expect(answers).toHaveLength(expected.length);
    for (const [index, pattern] of expected.entries()) expect(answers[index]).toMatch(pattern);
    expect(paste("curl -s http://127.0.0.1:7780/healthz")).toBe("ok\n");
    expect(paste("curl -s http://127.0.0.1:7780/readyz")).toBe("ready\n");
    expect(paste("curl -s http://127.0.0.1:7780/metrics")).toContain("switchyard_node_ready 1\n");
    expect(paste("npx switchyard status")).toMatch(/connected +1 +0 +equal/);
    const unknown = paste(
      "openssl s_client -connect 127.0.0.1:8444 -servername x.demo.test </dev/null 2>&1 | grep subject",
    );
    expect(unknown).toContain("CN = s3");
  });

  test("keeps, the second time, what the first one stored", async () => {
    const first = await start();
    expect(paste("npx switchyard delete listeners/farm-by-name/routes/app2")).toContain("revision 2");
    expect(await first.end()).toBe(0);
    const second = await start();
    expect(second.stdout).toContain("at revision 2");
    expect(paste("npx switchyard get routes")).not.toContain("routes/app2");
    expect(paste("npx switchyard history")).toMatch(/^2 .*\n1 /m);
  });

  test("ends by Ctrl-C with code 0, listeners first, while a client hangs on", async () => {
    const up = await start();
    const client = connect(8443, "127.0.0.1");
    await once(client, "connect");
    client.on("error", () => client.destroy());
    const ended = up.end("SIGINT");
    await expect
      .poll(async () => {
        const late = connect(8443, "127.0.0.1");
        const event = await new Promise((resolve) => {
          late.on("connect", () => resolve("connected"));
          late.on("error", () => resolve("refused"));
        });
        late.destroy();
        return event;
      })
      .toBe("refused");
    expect(await ended).toBe(0);
    client.destroy();
  });

  test("ends by SIGTERM with code 0", async () => {
    expect(await (await start()).end("SIGTERM")).toBe(0);
  });
});

describe("what can't work ends in one clear line and a code that is not zero:", () => {
  let squatter: Server | undefined;
  afterEach(async () => {
    if (squatter !== undefined) await once(squatter.close(), "close");
    squatter = undefined;
  });

  async function ends(words: readonly string[]): Promise<{ code: number | null; lines: string[] }> {
    running = new RunningSwitchyard(words, folder);
    const code = await running.ended();
    return { code, lines: running.stderr.trim().split("\n") };
  }

  test.each([
    [7700, ["up"], /admin API can't listen on 127\.0\.0\.1:7700: .*EADDRINUSE/],
    [7780, ["up"], /health and metrics can't listen on 127\.0\.0\.1:7780: .*EADDRINUSE/],
    [9101, ["up", "--demo"], /server app1-a can't listen on 127\.0\.0\.1:9101: .*EADDRINUSE/],
  ] as const)("port %i in use", async (port, words, line) => {
    squatter = createServer().listen(port, "127.0.0.1");
    await once(squatter, "listening");
    const { code, lines } = await ends(words);
    expect(code).toBe(1);
    expect(lines).toEqual([expect.stringMatching(line)]);
  });

  test("a listener's port in use does not keep the rest from running, and is said", async () => {
    squatter = createServer().listen(8444, "127.0.0.1");
    await once(squatter, "listening");
    const up = await start("--log-level", "silent");
    expect(up.stdout).toMatch(/NOT BOUND +listeners\/server-by-name: 127\.0\.0\.1:8444: address_in_use/);
    const [answer] = printedLines(up)
      .filter((line) => line.startsWith("curl"))
      .map(paste);
    expect(answer).toContain("app1-");
    expect(paste("npx switchyard status")).toMatch(/listeners\/server-by-name.*address_in_use/);
  });

  test("a data directory that can't be made", async () => {
    writeFileSync(join(folder, "file"), "");
    const { code, lines } = await ends(["up", "--data-dir", join(folder, "file", "data")]);
    expect(code).toBe(1);
    expect(lines).toEqual([expect.stringContaining("file/data")]);
  });

  test("a log that is not ours is left as it is", async () => {
    const file = join(folder, ".switchyard", "log.sqlite");
    spawnSync("mkdir", [join(folder, ".switchyard")]);
    writeFileSync(file, "not a database, but somebody's own text");
    const { code, lines } = await ends(["up"]);
    expect(code).toBe(1);
    expect(lines.length).toBe(1);
    expect(lines[0]).toContain("log.sqlite");
    expect(readFileSync(file, "utf8")).toBe("not a database, but somebody's own text");
    expect(existsSync(`${file}-wal`)).toBe(false);
  });

  test("a second process on the same folder", async () => {
    await start();
    const words = ["up", "--admin-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0"];
    const second = new RunningSwitchyard(words, folder);
    expect(await second.ended()).toBe(1);
    expect(second.stderr).toMatch(/^switchyard: .*log\.sqlite.*\n$/);
  });

  test("an address that others could reach, without the flag that says so", async () => {
    const { code, lines } = await ends(["up", "--admin-address", "0.0.0.0:7700"]);
    expect(code).toBe(2);
    expect(lines).toEqual([expect.stringContaining("--allow-insecure-bind")]);
  });

  test("an old Node", () => {
    // The same file, read by a process that says it is older: the check must not need anything newer itself.
    const script = `Object.defineProperty(process, "version", { value: "v18.20.0" });
      Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.0" } });
      import(${JSON.stringify(join(checkout, "cli/switchyard.mjs"))});`;
    const ended = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
    expect(ended.status).not.toBe(0);
    expect(ended.stderr.trim().split("\n")).toEqual([expect.stringMatching(/needs Node\.js 20\.19 or newer/)]);
  });
});
