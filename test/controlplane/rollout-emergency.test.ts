import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EmergencyTokenFile } from "../../controlplane/admin/emergency-token-file.ts";
import { EmergencyToken } from "../../controlplane/admin/emergency-token.ts";
import { Refused } from "../../controlplane/admin/refused.ts";
import { ControlPlane } from "../../controlplane/control-plane.ts";
import { SqliteEventLog } from "../../controlplane/log/sqlite-event-log.ts";
import { RolloutState } from "../../proto/gen/switchyard/config/v1/releases.ts";
import { ConfigServiceClient, CreateFarmRequest } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import { credentials } from "@grpc/grpc-js";
import { refusalText } from "./refusal-of.ts";
import { RolloutClient } from "./rollout-client.ts";

const token = "8f0c1d7ae35b9264c0f1e2d3b4a59687";
const write = { author: "ops", reason: "the shop is down" };
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "switchyard-emergency-"));
  path = join(folder, "token");
  writeFileSync(path, `${token}\n`, { mode: 0o600 });
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A control plane with one commit, of which the default policy has not been asked. */
async function withPlane(
  file: EmergencyTokenFile | undefined,
  check: (rollouts: RolloutClient, warnings: readonly string[]) => Promise<void>,
): Promise<void> {
  const warnings: string[] = [];
  const faults: unknown[] = [];
  const plane = await ControlPlane.start({
    log: await SqliteEventLog.open({ path: join(folder, "log.sqlite") }),
    adminAddress: "127.0.0.1:0",
    descriptors: readFileSync(new URL("../../proto/gen/image.binpb", import.meta.url)),
    softwareVersion: "test",
    now: Date.now,
    emergencyTokenFile: file,
    onFault: (error) => faults.push(error),
    onWarning: (message) => warnings.push(message),
  });
  const address = `127.0.0.1:${plane.port}`;
  const config = new ConfigServiceClient(address, credentials.createInsecure());
  const rollouts = new RolloutClient(address);
  try {
    for (const name of ["farms/a", "farms/b"])
      await new Promise<void>((resolve, reject) => {
        const request = CreateFarmRequest.fromPartial({ farm: { name } });
        config.createFarm(request, (error) => (error === null ? resolve() : reject(error)));
      });
    await check(rollouts, warnings);
    expect(faults).toEqual([]);
  } finally {
    config.close();
    rollouts.close();
    await plane.close(0);
  }
}

describe("an emergency release", () => {
  test("with the token goes to all nodes at once, and the record says who and why", () =>
    withPlane(EmergencyTokenFile.open(path), async (rollouts, warnings) => {
      const request = { targetRevision: 1n, write: { ...write, requestId: "one" } };
      const { rollout, revision } = await rollouts.emergency(request, token);
      expect(rollout).toMatchObject({
        name: "rollouts/emergency-3",
        emergency: true,
        state: RolloutState.ROLLOUT_STATE_COMPLETED,
        targetRevision: 1n,
        outlook: "complete: revision 1 is released to every node",
      });
      expect(rollout?.decisions[0]).toMatchObject({ step: "started", ...write });
      expect((await rollouts.emergency(request, token)).revision).toBe(revision);
      expect(warnings).toEqual([]);
    }));

  test("without the token, or with another, is denied, told, and beyond five attempts told once; the right one is let in all the same", () =>
    withPlane(EmergencyTokenFile.open(path), async (rollouts, warnings) => {
      const denied = "PERMISSION_DENIED EMERGENCY_DENIED";
      const request = { targetRevision: 1n, write };
      for (const wrong of [undefined, "", token.slice(1), `${token}x`, "wrong"])
        expect(await refusalText(rollouts.emergency(request, wrong))).toBe(denied);
      expect(warnings.length).toBe(5);
      expect(warnings[0]).toMatch(/has no emergency token.*"ops", from 127\.0\.0\.1:\d+/);
      for (const wrong of ["wrong", undefined, "wrong"])
        expect(await refusalText(rollouts.emergency(request, wrong))).toBe("RESOURCE_EXHAUSTED TOO_MANY");
      expect(warnings.slice(5)).toEqual([expect.stringContaining("not told one by one")]);
      expect((await rollouts.list()).rollouts).toEqual([]);
      expect((await rollouts.emergency(request, token)).rollout?.emergency).toBe(true);
    }));

  test("has a reason, and a revision that the log has", () =>
    withPlane(EmergencyTokenFile.open(path), async (rollouts) => {
      const bare = { targetRevision: 1n, write: { ...write, reason: " " } };
      expect(await refusalText(rollouts.emergency(bare, token))).toBe(
        "INVALID_ARGUMENT INVALID_FIELD | write.reason: REQUIRED",
      );
      expect(await refusalText(rollouts.emergency({ targetRevision: 9n, write }, token))).toBe(
        "NOT_FOUND NOT_FOUND | target_revision: UNKNOWN_REFERENCE",
      );
    }));

  test("is off without a token file", () =>
    withPlane(undefined, async (rollouts, warnings) => {
      await expect(rollouts.emergency({ write }, token)).rejects.toMatchObject({
        code: 7,
        details: expect.stringContaining("--emergency-token-file"),
      });
      for (let time = 0; time < 9; time += 1)
        expect(await refusalText(rollouts.emergency({ write }, token))).toBe("PERMISSION_DENIED EMERGENCY_DENIED");
      expect(warnings.length).toBe(6);
    }));
});

describe("the token's file", () => {
  test.each([
    ["empty", "\n", 0o600, /it is empty/],
    ["of 31 characters", token.slice(1), 0o600, /31 characters; at least 32/],
    ["of one character repeated", "x".repeat(32), 0o600, /repeats very few characters/],
    ["of few characters repeated", "12345".repeat(8), 0o600, /repeats very few characters/],
    ["that its group may read", token, 0o640, /mode 640.*chmod 600/],
    ["that others may write", token, 0o602, /mode 602/],
    ["of more than a token", "x".repeat(5000), 0o600, /5000 bytes/],
  ])("%s is refused", (_, text, mode, why) => {
    writeFileSync(path, text);
    chmodSync(path, mode);
    expect(() => EmergencyTokenFile.open(path)).toThrow(why);
  });

  test("that is not there, or is a folder, is refused", () => {
    expect(() => EmergencyTokenFile.open(join(folder, "none"))).toThrow(/ENOENT/);
    chmodSync(folder, 0o700);
    expect(() => EmergencyTokenFile.open(folder)).toThrow(/can't be used/);
  });

  test("is read again where it has changed, and what has become unusable lets nobody in", () => {
    const admission = new EmergencyToken({
      file: EmergencyTokenFile.open(path),
      monotonicMs: () => 0,
      onWarning: () => undefined,
    });
    const by = { author: "ops", peer: "here" };
    const another = token.toUpperCase();
    writeFileSync(path, another);
    expect(() => admission.admit(token, by)).toThrow(Refused);
    expect(() => admission.admit(another, by)).not.toThrow();
    chmodSync(path, 0o644);
    expect(() => admission.admit(another, by)).toThrow(/mode 644/);
  });
});

test("wrong tokens are told again after a minute without too many, and that there are more each time once", () => {
  let nowMs = 0;
  const warnings: string[] = [];
  const admission = new EmergencyToken({
    file: EmergencyTokenFile.open(path),
    monotonicMs: () => nowMs,
    onWarning: (message) => warnings.push(message),
  });
  const by = { author: "ops", peer: "here" };
  const fiveAndMore = (): void => {
    for (let time = 0; time < 5; time += 1) expect(() => admission.admit("wrong", by)).toThrow(/token is wrong/);
    for (let time = 0; time < 3; time += 1) expect(() => admission.admit("wrong", by)).toThrow(/more than 5/);
    expect(() => admission.admit(token, by)).not.toThrow();
  };
  fiveAndMore();
  expect(warnings.length).toBe(6);
  nowMs = 60_000;
  fiveAndMore();
  expect(warnings.length).toBe(12);
});
