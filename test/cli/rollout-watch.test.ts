import { status } from "@grpc/grpc-js";
import type { ServerWritableStream } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import type {
  Rollout,
  WatchRolloutRequest,
  WatchRolloutResponse,
} from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import { waitFor } from "../support/wait-for.ts";
import type { FakeControlPlane } from "./fake-control-plane.ts";
import { answering, fakeControlPlane, refusal } from "./fake-control-plane.ts";
import { aborted, completed, pausedByGate, pausedByHand, rolledBack, rollingBack, rollout } from "./rollout-answers.ts";
import type { VerbOptions, VerbRun } from "./run-verb.ts";
import { runVerb } from "./run-verb.ts";

type Stream = ServerWritableStream<WatchRolloutRequest, WatchRolloutResponse>;

let running: FakeControlPlane | undefined;
afterEach(() => {
  running?.close();
  running = undefined;
});

/** One answer for each stream that is opened, the last one again; `held` streams stay open. */
interface Served {
  readonly rollouts: readonly Rollout[];
  readonly held?: boolean;
}

async function watch(line: string, served: readonly Served[], options: VerbOptions = {}): Promise<VerbRun & Asked> {
  const names: string[] = [];
  running = await fakeControlPlane({
    startRollout: answering(() => ({ rollout: rollout(), revision: 12n })),
    watchRollout: (stream: Stream) => {
      const one = served[Math.min(names.length, served.length - 1)];
      names.push(stream.request.name);
      for (const each of one?.rollouts ?? []) stream.write({ rollout: each });
      if (one?.held !== true) stream.end();
    },
  });
  return { ...(await runVerb(line.split(" "), { server: running.address, ...options })), names };
}

interface Asked {
  readonly names: readonly string[];
}

const texts = (output: string): string[] =>
  output
    .trimEnd()
    .split("\n")
    .map((line) => line.slice(21));

describe("watching ends as the rollout does, each way with a code of its own", () => {
  const cases: readonly (readonly [string, string, Rollout, number, RegExp])[] = [
    ["completed", "", completed, 0, /rollouts\/r12 completed: revision 11 is released to all nodes\n$/],
    ["rolled back", "", rolledBack, 6, /rollouts\/r12 rolled back: gate connect_failures failed\n$/],
    ["aborted", "", aborted, 7, /rollouts\/r12 aborted: released nodes keep revision 11\n$/],
    ["paused by a gate", "", pausedByGate, 8, /paused: gate connect_failures failed; resume, promote, abort or/],
    ["paused by an operator, when asked", " --exit-on-pause", pausedByHand, 8, /rollouts\/r12 paused; resume, promote/],
  ];
  it.each(cases)("%s", async (_, option, last, code, text) => {
    // The stream stays open: the end is known without the control plane's saying so.
    const served = [{ rollouts: [rollout(), last], held: true }];
    const run = await watch(`rollout status --watch${option}`, served);
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code, stderr: "" });
    expect(run.stdout).toMatch(text);
  });

  it("an operator's pause is waited through", async () => {
    const run = await watch("rollout status --watch", [{ rollouts: [pausedByHand, completed], held: true }]);
    expect(run.code).toBe(0);
    expect(run.stdout).toContain("completed, by controller\n");
  });

  it("nodes that have to go back are waited for, until the control plane says that they have", async () => {
    const run = await watch("rollout status --watch", [{ rollouts: [rollingBack, rolledBack], held: true }]);
    expect(run.code).toBe(6);
    expect(run.stdout).toMatch(/wave|europe/);
    expect(run.stdout).toMatch(/failed\n$/);
    running?.close();
    const settled = await watch("rollout status --watch", [{ rollouts: [rollingBack] }]);
    expect(settled).toMatchObject({ code: 6 });
    expect(settled.stdout).toMatch(/gate connect_failures failed\n$/);
  });

  it("but no longer than --timeout", async () => {
    const served = [{ rollouts: [rollingBack], held: true }];
    const run = await watch("rollout status --watch --timeout 50ms", served);
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 6, stderr: "" });
    expect(run.stdout).toMatch(/failed; 3 reachable nodes are not there yet\n$/);
  });

  it("with 130 where the user goes away, and says that the rollout does not", async () => {
    const stop = new AbortController();
    const run = await watch("rollout status --watch", [{ rollouts: [rollout()], held: true }], {
      signal: stop.signal,
      onOutput: (text) => text.includes("europe") && stop.abort(),
    });
    expect({ code: run.code, stderr: run.stderr }).toEqual({
      code: 130,
      stderr:
        "switchyard: interrupted; rollouts/r12 goes on\n  `switchyard rollout status r12 --watch` shows it again\n",
    });
  });

  it("with the refusal where there is no rollout", async () => {
    running = await fakeControlPlane({
      watchRollout: (stream: Stream) => {
        stream.emit("error", refusal(status.NOT_FOUND, "there are no rollouts", { reason: "NOT_FOUND" }));
      },
    });
    expect(await runVerb(["rollout", "status", "--watch"], { server: running.address })).toEqual({
      code: 1,
      stdout: "",
      stderr: "switchyard: refused: there are no rollouts (NOT_FOUND)\n",
    });
  });

  it("start --watch watches what it started", async () => {
    const run = await watch("rollout start --watch", [{ rollouts: [completed] }]);
    expect(run).toMatchObject({ code: 0, names: ["rollouts/r12"] });
  });
});

describe("a stream that breaks", () => {
  it("is opened again, for the rollout that was shown", async () => {
    const run = await watch("rollout status --watch", [{ rollouts: [rollout()] }, { rollouts: [completed] }]);
    expect(run).toMatchObject({ code: 0, names: ["", "rollouts/r12"] });
    expect(run.stdout).toMatch(/the control plane at 127\.0\.0\.1:\d+ ended the stream; trying again\n/);
  });

  it("before anything was shown ends with code 3", async () => {
    const run = await watch("rollout status --watch", [{ rollouts: [] }]);
    expect(run).toMatchObject({ code: 3, stdout: "", names: [""] });
  });
});

describe("in a pipe", () => {
  it("there is a line for each change", async () => {
    const applying = rollout();
    const [, wave] = applying.waves;
    const counts = { ...wave?.counts, nodes: 20, reachable: 18, applied: 12 } as NonNullable<typeof wave>["counts"];
    const more = rollout({ waves: applying.waves.map((each, index) => (index === 1 ? { ...each, counts } : each)) });
    const run = await watch("rollout status --watch", [{ rollouts: [applying, applying, more, rolledBack] }]);
    expect(texts(run.stdout)).toMatchInlineSnapshot(`
      [
        "rollouts/r12 running: revision 11 in 3 waves",
        "1 canary done; 5 of 5 applied",
        "2 europe applying; 9 of 20 applied, 1 refused, 1 crashed, 2 unreachable",
        "2 europe 12 of 20 applied, 1 refused, 1 crashed, 2 unreachable",
        "rolled back: gate connect_failures failed in wave 2, by controller",
        "1 europe done -> cancelled; 20 nodes, 2 unreachable",
        "rollouts/r12 rolled back: gate connect_failures failed",
      ]
    `);
    expect(run.stdout).not.toContain("\u001B");
  });

  it("and a JSON object a line for scripts", async () => {
    const run = await watch("rollout status --watch -o json", [{ rollouts: [rollout(), completed] }]);
    const states = run.stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { state: string }).state);
    expect(states).toEqual(["ROLLOUT_STATE_RUNNING", "ROLLOUT_STATE_COMPLETED"]);
  });
});

describe("on a terminal", () => {
  const escapes = /\u001B\[[0-9;]*[A-Za-z]/g;
  const frames = (output: string): string[] => output.split("\u001B[H").slice(1);

  it.each([40, 72, 100, 160])("nothing is wider than %d columns, and nothing scrolls", async (columns) => {
    const long = rollout({ waves: rollout().waves.map((wave) => ({ ...wave, title: `${wave.title} 東京 région` })) });
    const terminal = { rows: 24, columns };
    const run = await watch("rollout status --watch", [{ rollouts: [long, completed] }], { terminal, colour: true });
    expect(run.code).toBe(0);
    expect(frames(run.stdout).length).toBeGreaterThanOrEqual(2);
    for (const frame of frames(run.stdout)) {
      const lines = frame.replaceAll(escapes, "").trimEnd().split("\n");
      // A character of the East takes two columns.
      const widths = lines.map((line) => line.length + (line.match(/[東京]/gu) ?? []).length);
      expect(Math.max(...widths.slice(0, -1))).toBeLessThan(columns);
      expect(lines.length).toBeLessThanOrEqual(24);
    }
  });

  it("each frame is one write over the one before, cleared line by line: nothing flickers", async () => {
    const writes: string[] = [];
    let before = "";
    await watch("rollout status --watch", [{ rollouts: [rollout(), rollout(), completed] }], {
      terminal: { rows: 50, columns: 100 },
      onOutput: (text) => {
        writes.push(text.slice(before.length));
        before = text;
      },
    });
    expect(writes.filter((text) => text.includes("\u001B[2J"))).toHaveLength(1);
    for (const text of writes.slice(0, -1)) {
      expect(text).toMatch(/^(?:\u001B\[2J)?\u001B\[H/);
      expect(text.endsWith("\n\u001B[J")).toBe(true);
      const lines = text.split("\n").slice(0, -1);
      expect(lines.every((line) => line.endsWith("\u001B[K"))).toBe(true);
    }
  });

  it("what does not fit goes without regions first, then without its end", async () => {
    const heights = await Promise.all(
      [50, 20, 8].map(async (rows) => {
        const control = await fakeControlPlane({
          watchRollout: (stream: Stream) => {
            stream.write({ rollout: { ...pausedByGate, waves: rollout().waves } });
            stream.end();
          },
        });
        const terminal = { rows, columns: 100 };
        const { stdout } = await runVerb(["rollout", "status", "--watch"], { server: control.address, terminal });
        control.close();
        return { hasRegions: stdout.includes("eu-2"), isCut: stdout.includes("\n...") };
      }),
    );
    expect(heights).toEqual([
      { hasRegions: true, isCut: false },
      { hasRegions: false, isCut: false },
      { hasRegions: false, isCut: true },
    ]);
  });

  it("what is left of a time goes down between answers", async () => {
    const stop = new AbortController();
    const run = watch("rollout status --watch", [{ rollouts: [rollout()], held: true }], {
      signal: stop.signal,
      terminal: { rows: 50, columns: 100 },
      onOutput: (text) => /4m1[01]s left/.test(text) && stop.abort(),
    });
    expect((await run).stdout).toMatch(/4m12s left[^]*4m1[01]s left/);
  });

  it("colours are for terminals that want them", async () => {
    const terminal = { rows: 50, columns: 100 };
    const served = [{ rollouts: [rolledBack] }];
    const plain = await watch("rollout status --watch", served, { terminal });
    expect(plain.stdout).not.toMatch(/\u001B\[\d+m/);
    running?.close();
    const coloured = await watch("rollout status --watch", served, { terminal, colour: true });
    expect(coloured.stdout).toContain("\u001B[31mROLLED BACK\u001B[0m");
  });

  it("says when what is shown is old", async () => {
    let output = "";
    const stop = new AbortController();
    const run = watch("rollout status --watch", [{ rollouts: [rollout()] }, { rollouts: [completed] }], {
      signal: stop.signal,
      terminal: { rows: 50, columns: 100 },
      onOutput: (text) => {
        output = text;
      },
    });
    await waitFor("the loss", () => output.includes("trying again. What was seen last:"));
    expect(output.slice(output.lastIndexOf("\u001B[H"))).toContain("2 europe");
    expect((await run).code).toBe(0);
  });
});
