import { expect } from "vitest";
import type { RealControlPlane } from "./real-control-plane.ts";
import { realControlPlane } from "./real-control-plane.ts";
import type { VerbOptions, VerbRun } from "./run-verb.ts";
import { runVerb } from "./run-verb.ts";

/** A control plane of its own, and command lines against it. */
export class VerbRig {
  readonly #controlPlane: RealControlPlane;

  private constructor(controlPlane: RealControlPlane) {
    this.#controlPlane = controlPlane;
  }

  static async start(now?: () => number): Promise<VerbRig> {
    return new VerbRig(await realControlPlane(now));
  }

  get address(): string {
    return this.#controlPlane.address;
  }

  run(line: string | readonly string[], options: VerbOptions = {}): Promise<VerbRun> {
    const words = typeof line === "string" ? line.split(" ") : line;
    return runVerb(words, { server: this.address, ...options });
  }

  /** The output of a command line that must end with code 0. */
  async done(line: string | readonly string[], options: VerbOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(line, options);
    expect({ line, code, stderr }).toMatchObject({ code: 0 });
    return stdout;
  }

  close(): Promise<void> {
    return this.#controlPlane.close();
  }
}
