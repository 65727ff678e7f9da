import { closeSync, openSync } from "node:fs";
import { expect, it } from "vitest";
import { clientHelloBytes } from "../../support/client-hello-bytes.ts";
import type { EngineRig } from "../../support/engine-rig.ts";
import { waitFor } from "../../support/wait-for.ts";

/** So few are left that no engine can go on accepting for long. */
const descriptorsLeft = 20;

export function descriptorLaws(rig: () => EngineRig): void {
  it("without descriptors accepting pauses, and it goes on when there are some again", async () => {
    const { engine, handler } = rig();
    const listener = await rig().listen();
    const taken = takeDescriptors();
    try {
      for (const descriptor of taken.splice(-descriptorsLeft)) closeSync(descriptor);
      for (let tried = 0; engine.stats().acceptPauses === 0 && tried < descriptorsLeft; tried += 1)
        await rig().client(listener).catch(toleratesExhaustion);
      await waitFor("accepting to pause", () => engine.stats().acceptPauses > 0);
    } finally {
      for (const descriptor of taken) closeSync(descriptor);
    }
    expect(handler.arrivals).toEqual([]);
    for (let served = false; !served; ) {
      const client = await rig().client(listener);
      client.write(clientHelloBytes());
      await client.isOver();
      served = client.length > 0;
      client.socket.destroy();
    }
    // The log hears of a pause; that is no fault of the test.
    handler.faults.length = 0;
  });
}

function takeDescriptors(): number[] {
  const taken: number[] = [];
  for (;;) {
    try {
      taken.push(openSync("/dev/null", "r"));
    } catch (error) {
      toleratesExhaustion(error);
      return taken;
    }
  }
}

function toleratesExhaustion(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "EMFILE") throw error;
}
