import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import type { ApplyRequest, DeleteServerRequest } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import { Farm } from "../../proto/gen/switchyard/config/v1/resources.ts";
import type { ExplainRequest } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { waitFor } from "../support/wait-for.ts";
import type { FakeCalls, FakeControlPlane } from "./fake-control-plane.ts";
import { answering, fakeControlPlane, refusal, streaming, withDetails } from "./fake-control-plane.ts";
import type { VerbOptions, VerbRun } from "./run-verb.ts";
import { runVerb } from "./run-verb.ts";

let running: FakeControlPlane | undefined;
afterEach(() => {
  running?.close();
  running = undefined;
});

async function run(line: string, calls: FakeCalls, options: VerbOptions = {}): Promise<VerbRun> {
  running = await fakeControlPlane(calls);
  return runVerb(line.split(" "), { server: running.address, ...options });
}

const stdin = "farm: {name: farms/web, connectTimeout: 3s}\n---\nserver: {name: farms/web/servers/a}\n";
const nothing = { plan: { changes: [], unchangedCount: 2 }, revision: 7n };
const farm = (name: string): Farm => Farm.fromPartial({ name, balance: 1 });

describe("what is sent", () => {
  it("apply: the resources in order, who and why, and an id of its own", async () => {
    const requests: ApplyRequest[] = [];
    const apply = answering((request: ApplyRequest) => {
      requests.push(request);
      return nothing;
    });
    await run("apply -f - --prune --dry-run --reason why", { apply }, { stdin });
    const [request] = requests;
    expect(request).toMatchObject({
      prune: true,
      write: { author: "alice", reason: "why", validateOnly: true },
      resources: [
        { kind: { $case: "farm", value: { connectTimeout: { seconds: 3n, nanos: 0 } } } },
        { kind: { $case: "server" } },
      ],
    });
    expect(request?.write?.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("apply: nothing at all while a file is wrong, or has no resources", async () => {
    const apply = answering(() => {
      throw new Error("was called");
    });
    expect(await run("apply -f -", { apply }, { stdin: "farm: {nam: x}" })).toEqual({
      code: 2,
      stdout: "",
      stderr: "<stdin>:1:8: farm.nam: unknown field; did you mean name?\nswitchyard: 1 error; nothing was sent\n",
    });
    running?.close();
    expect(await run("apply -f - --prune", { apply }, { stdin: "# empty\n" })).toEqual({
      code: 2,
      stdout: "",
      stderr: "switchyard: no resources in -; nothing was sent\n",
    });
  });

  it("delete: a full name from a short one", async () => {
    const requests: DeleteServerRequest[] = [];
    const deleteServer = answering((request: DeleteServerRequest) => {
      requests.push(request);
      return { revision: 9n };
    });
    const { stdout } = await run("delete server web/a --request-id x", { deleteServer });
    expect(stdout).toBe("deleted farms/web/servers/a; now at revision 9\n");
    expect(requests).toMatchObject([{ name: "farms/web/servers/a", write: { requestId: "x" } }]);
  });

  it("explain: ALPN protocols in the order given, and a listener's full name", async () => {
    const requests: ExplainRequest[] = [];
    const explain = answering((request: ExplainRequest) => {
      requests.push(request);
      return { revision: 1n, listener: "", route: "", outcome: "", farm: "", servers: [], alert: "", steps: [] };
    });
    await run("explain --listener edge --alpn b --alpn a,c", { explain });
    expect(requests).toEqual([{ listener: "listeners/edge", serverName: "", alpnProtocols: ["b", "a,c"], source: "" }]);
  });
});

describe("a refusal is one readable block", () => {
  const cases: readonly (readonly [string, string, ReturnType<typeof refusal>, readonly string[]])[] = [
    [
      "with violations at their places in the files, and others by their field",
      "apply -f -",
      refusal(status.INVALID_ARGUMENT, "first (and 2 more)", {
        reason: "INVALID_FIELD",
        violations: [
          ["resources[0].farm.connect_timeout", "too short"],
          ["resources[1].server.address", "is needed"],
          ["write.author", "too long"],
        ],
      }),
      [
        "<stdin>:1:41: farm.connectTimeout: too short",
        "<stdin>:3:1: server.address: is needed",
        "write.author: too long",
        "switchyard: refused: 3 errors; nothing was changed (INVALID_FIELD)",
      ],
    ],
    [
      "with the error's metadata",
      "apply -f -",
      refusal(status.ABORTED, "the etag is stale", { reason: "ETAG_MISMATCH", metadata: { name: "farms/web" } }),
      ["name: farms/web", "switchyard: refused: the etag is stale (ETAG_MISMATCH)"],
    ],
    [
      "without details",
      "get farms/web",
      refusal(status.NOT_FOUND, "no such farm"),
      ["switchyard: refused: no such farm (NOT_FOUND)"],
    ],
    [
      "with details that are no google.rpc.Status",
      "get farms/web",
      withDetails(status.INTERNAL, "oops", Buffer.from([0xff, 0xff, 0xff])),
      ["switchyard: refused: oops (INTERNAL)"],
    ],
    [
      "with everything that acts on a terminal escaped",
      "get farms/web",
      refusal(status.NOT_FOUND, "x", { reason: "NOT_FOUND", violations: [["name", "no \u001B[2J\u202E farm"]] }),
      ["switchyard: refused: no \\u001b[2J\\u202e farm (NOT_FOUND)"],
    ],
    [
      "of a control plane without its log, which is not the same as none",
      "get farms/web",
      refusal(status.UNAVAILABLE, "the log can't be written", { reason: "LOG_UNAVAILABLE" }),
      ["switchyard: refused: the log can't be written (LOG_UNAVAILABLE)"],
    ],
  ];
  it.each(cases)("%s", async (_, line, error, lines) => {
    const fail = answering(() => {
      throw error;
    });
    const { code, stdout, stderr } = await run(line, { apply: fail, getFarm: fail }, { stdin });
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: "", stderr: `${lines.join("\n")}\n` });
  });

  it("of a server that is something else", async () => {
    expect((await run("status", {})).stderr).toMatch(
      /^switchyard: .* does not know this call: is it a Switchyard control plane\?\n$/,
    );
  });
});

describe("a control plane that is not there ends with code 3", () => {
  it("where nothing listens", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    expect(await runVerb(["status", "--server", `127.0.0.1:${port}`])).toEqual({
      code: 3,
      stdout: "",
      stderr:
        `switchyard: can't reach the control plane at 127.0.0.1:${port}: connection refused\n` +
        "  `switchyard up` starts a control plane here; --server HOST:PORT names another\n",
    });
  });

  it("where no answer comes in time, with the way to find out what became of a change", async () => {
    const { code, stderr } = await run(
      "apply -f - --timeout 50ms --request-id r1",
      { apply: () => undefined },
      { stdin },
    );
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /did not answer in time\n {2}it may or may not have been done; .* --request-id r1 finds out safely\n$/,
    );
    running?.close();
    const read = await run("get farms --timeout 50ms", { listFarms: () => undefined });
    expect(read).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/did not answer in time\n {2}--timeout gives it longer\n$/) as string,
    });
  });

  it("where it ends the stream that is followed", async () => {
    const calls = {
      listCommits: answering(() => ({ commits: [], nextPageToken: "" })),
      watchCommits: streaming(() => []),
    };
    const { code, stderr } = await run("history --follow", calls);
    expect({ code, stderr }).toEqual({ code: 3, stderr: "switchyard: the control plane ended the stream\n" });
  });

  it("but with 130 where the user would not wait", async () => {
    const stop = new AbortController();
    let asked = false;
    const ended = run("get farms", { listFarms: () => void (asked = true) }, { signal: stop.signal });
    await waitFor("the call", () => asked);
    stop.abort();
    expect(await ended).toEqual({ code: 130, stdout: "", stderr: "switchyard: interrupted\n" });
  });
});

describe("what comes back is shown as it is, and safely", () => {
  const hostile = "farms/x\u001B]0;owned\u0007\u202E\n";

  it.each(["table", "yaml", "json"])("names with control characters, in every form (%s)", async (form) => {
    const listFarms = answering(() => ({ farms: [farm(hostile)], nextPageToken: "", revision: 1n }));
    const { stdout } = await run(`get farms -o ${form}`, { listFarms });
    expect(stdout).toContain("farms/x\\u001b]0;owned\\u0007\\u202e");
    expect(stdout.replaceAll("\n", "")).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u202E]/);
  });

  it("a configuration that was cut off is no configuration", async () => {
    const header = {
      epoch: 1n,
      revision: 5n,
      hash: new Uint8Array(0),
      digest: new Uint8Array(0),
      resourceCount: 2n,
      releases: undefined,
    };
    const getState = streaming(() => [
      { part: { $case: "header" as const, value: header } },
      {
        part: {
          $case: "resources" as const,
          value: { resources: [{ kind: { $case: "farm" as const, value: farm("farms/a") } }] },
        },
      },
    ]);
    expect(await run("get all", { getState })).toEqual({
      code: 1,
      stdout: "",
      stderr: "switchyard: the control plane's answer was cut off: 1 of 2 resources came\n",
    });
  });
});
