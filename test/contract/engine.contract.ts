import { afterEach, beforeEach, describe } from "vitest";
import { type CreateEngine, EngineRig } from "../support/engine-rig.ts";
import { connectLaws } from "./engine/connect-laws.ts";
import { descriptorLaws } from "./engine/descriptor-laws.ts";
import { endLaws } from "./engine/end-laws.ts";
import { helloLaws } from "./engine/hello-laws.ts";
import { listenerLaws } from "./engine/listener-laws.ts";
import { proxyLaws } from "./engine/proxy-laws.ts";
import { rejectLaws } from "./engine/reject-laws.ts";
import { spliceLaws } from "./engine/splice-laws.ts";
import { tlsLaws } from "./engine/tls-laws.ts";
import { waitLaws } from "./engine/wait-laws.ts";

const lawsOfParts = {
  proxy: proxyLaws,
  hello: helloLaws,
  reject: rejectLaws,
  wait: waitLaws,
  connect: connectLaws,
  splice: spliceLaws,
  tls: tlsLaws,
  listeners: listenerLaws,
  ends: endLaws,
  descriptors: descriptorLaws,
};

/**
 * The laws of the `Engine` port, over real sockets, for every engine. After each of them the engine is closed, and then
 * `closed()` must have been called once for each accepted connection, and no descriptor and no timer may be left.
 * `transferMebibytes` go each way in the longest transfer: as much as the engine moves in a few seconds.
 */
export function describeEngine(name: string, createEngine: CreateEngine, transferMebibytes: number): void {
  describe(`the ${name} engine`, () => {
    let current: EngineRig;
    const rig = (): EngineRig => current;

    beforeEach(async () => {
      current = await EngineRig.create(createEngine);
    });
    afterEach(async () => {
      await current.close();
    });

    for (const [part, laws] of Object.entries(lawsOfParts))
      describe(part, () => {
        laws(rig, transferMebibytes);
      });
  });
}
