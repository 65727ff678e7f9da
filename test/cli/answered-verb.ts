import { afterEach, expect } from "vitest";
import type { FakeCalls, FakeControlPlane } from "./fake-control-plane.ts";
import { fakeControlPlane } from "./fake-control-plane.ts";
import type { VerbOptions, VerbRun } from "./run-verb.ts";
import { runVerb } from "./run-verb.ts";

let running: FakeControlPlane | undefined;
afterEach(() => {
  running?.close();
  running = undefined;
});

/** Runs a command line against a control plane that answers as told; it is gone with the next one, or the end of the test. */
export async function answered(
  line: string | readonly string[],
  calls: FakeCalls,
  options: VerbOptions = {},
): Promise<VerbRun> {
  running?.close();
  running = await fakeControlPlane(calls);
  return runVerb(typeof line === "string" ? line.split(" ") : line, { server: running.address, ...options });
}

/** What a command line that must end with code 0 prints, after a line break, so that columns stand under each other. */
export async function textOf(line: string, calls: FakeCalls): Promise<string> {
  const { code, stdout, stderr } = await answered(line, calls);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return `\n${stdout}`;
}
