import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import type { ServerUnaryCall } from "@grpc/grpc-js";
import { afterAll, describe, expect, it } from "vitest";
import type {
  ReleaseEmergencyRequest,
  ReleaseEmergencyResponse,
} from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import { answered, textOf } from "./answered-verb.ts";
import { answering, refusal } from "./fake-control-plane.ts";
import { rollout } from "./rollout-answers.ts";

describe("steps", () => {
  const wanted = { author: "alice", reason: "why", validateOnly: false, requestId: "once" };
  const verbs: readonly (readonly [string, string, object, string])[] = [
    ["start", "startRollout", { targetRevision: 0n, policy: "" }, "started rollouts/r12: revision 11 in 3 waves"],
    ["pause", "pauseRollout", { name: "" }, "paused rollouts/r12"],
    ["resume r12", "resumeRollout", { name: "rollouts/r12" }, "resumed rollouts/r12"],
    ["promote", "promoteRollout", { name: "", full: false }, "promoted rollouts/r12"],
    ["promote --all", "promoteRollout", { name: "", full: true }, "promoted rollouts/r12"],
    ["abort", "abortRollout", { name: "" }, "aborted rollouts/r12"],
    ["rollback rollouts/r12", "rollBackRollout", { name: "rollouts/r12" }, "rolled back rollouts/r12"],
  ];
  it.each(verbs)("%s is one call, with who and why", async (verb, call, request, said) => {
    const asked: unknown[] = [];
    const calls = {
      [call]: answering((each: unknown) => {
        asked.push(each);
        return { rollout: rollout({ outlook: "the canaries first" }), revision: 13n };
      }),
    };
    const line = `rollout ${verb} --reason why --request-id once`;
    expect(await textOf(line, calls)).toBe(`\n${said}; now at revision 13\nthe canaries first\n`);
    expect(asked).toEqual([{ ...request, write: wanted }]);
    expect(await textOf(`${line} --dry-run`, calls)).toMatch(/^\ndry run: .* can be \S.*; still at revision 13\n$/);
    expect(JSON.parse(await textOf(`${line} -o json`, calls))).toMatchObject({
      rollout: { name: "rollouts/r12" },
      revision: "13",
    });
  });

  it("that is refused is told as other verbs do", async () => {
    const startRollout = answering(() => {
      throw refusal(status.FAILED_PRECONDITION, "rollouts/r10 is under way\u001B[2J", { reason: "ROLLOUT_UNDER_WAY" });
    });
    expect(await answered("rollout start", { startRollout })).toEqual({
      code: 1,
      stdout: "",
      stderr: "switchyard: refused: rollouts/r10 is under way\\u001b[2J (ROLLOUT_UNDER_WAY)\n",
    });
  });

  it("whose answer does not come can be made again under the same id", async () => {
    const { code, stderr } = await answered("rollout rollback --timeout 50ms --request-id r1", {
      rollBackRollout: () => undefined,
    });
    expect(code).toBe(3);
    expect(stderr).toContain("--request-id r1 finds out safely");
  });
});

describe("emergency", () => {
  const folder = mkdtempSync(join(tmpdir(), "switchyard-token-"));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("sends the token in the call's metadata, and nowhere else", async () => {
    const file = join(folder, "token");
    writeFileSync(file, "s3cret\n");
    const calls: ServerUnaryCall<ReleaseEmergencyRequest, ReleaseEmergencyResponse>[] = [];
    const line = ["rollout", "emergency", "--token-file", file, "--reason", "CVE", "--revision", "9"];
    const released = await answered(line, {
      releaseEmergency: (call, callback) => {
        calls.push(call);
        const emergency = rollout({ name: "rollouts/emergency-12", emergency: true, outlook: "" });
        callback(null, { rollout: emergency, revision: 12n });
      },
    });
    expect(released).toEqual({
      code: 0,
      stdout: "EMERGENCY rollouts/emergency-12: revision 11 released to all nodes; now at revision 12\n",
      stderr: "",
    });
    expect(calls[0]?.metadata.get("switchyard-emergency-token")).toEqual(["s3cret"]);
    expect(calls[0]?.request).toMatchObject({ targetRevision: 9n, write: { reason: "CVE" } });
    for (const bad of ["", "two\nlines", "t\u00E4g", "x".repeat(1025)]) {
      writeFileSync(file, bad);
      const { code, stderr } = await answered(line, {});
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: `switchyard: --token-file ${file}: must have one line, of at most 1024 visible ASCII characters\n`,
      });
    }
  });
});
