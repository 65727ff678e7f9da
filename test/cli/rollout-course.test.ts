import { credentials } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigServiceClient } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import type { DeepPartial, NodeReport } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { NodeSession } from "../controlplane/node-session.ts";
import { VerbRig } from "./verb-rig.ts";

/** A node that serves whatever is released to it, as soon as it looks, and says so. */
class ObedientNode {
  readonly #rig: VerbRig;
  readonly #id: string;
  readonly #session: NodeSession;
  #stopped = false;
  #ended: Promise<void> = Promise.resolve();
  /** Of every report from now on. */
  trouble: DeepPartial<NodeReport> = {};

  private constructor(rig: VerbRig, id: string, session: NodeSession) {
    this.#rig = rig;
    this.#id = id;
    this.#session = session;
  }

  static async connect(rig: VerbRig, id: string, labels: Record<string, string>): Promise<ObedientNode> {
    const session = await new NodeSession(rig.address).hello(id, { region: "eu", bootId: id, labels }).welcomed();
    const node = new ObedientNode(rig, id, session);
    node.#ended = node.#follow();
    return node;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#ended;
    this.#session.cancel();
  }

  async #follow(): Promise<void> {
    const config = new ConfigServiceClient(this.#rig.address, credentials.createInsecure());
    let served = "";
    while (!this.#stopped) {
      const json = JSON.parse(await this.#rig.done(`get node ${this.#id} -o json`)) as {
        nodes: { effectiveRevision?: string }[];
      };
      const wanted = json.nodes[0]?.effectiveRevision ?? "0";
      if (wanted === served || wanted === "0") continue;
      const digest = await digestAt(config, BigInt(wanted));
      this.#session.report({ revision: BigInt(wanted), digest, epoch: 1n, ready: true, ...this.trouble });
      served = wanted;
    }
    config.close();
  }
}

async function digestAt(config: ConfigServiceClient, revision: bigint): Promise<Uint8Array> {
  const call = config.getState({ revision });
  let digest = new Uint8Array(0);
  for await (const { part } of call as AsyncIterable<{
    part?: { $case: string; value: { digest?: Uint8Array } };
  }>)
    if (part?.$case === "header") digest = new Uint8Array(part.value.digest ?? digest);
  return digest;
}

const policy = `
rolloutPolicy:
  name: rolloutPolicies/default
  staged:
    waves:
      - {title: canary, labels: {canary: "yes"}, bakeTime: 0s}
      - {title: everybody, bakeTime: 0s}
    gates: {applyDeadline: 20s}
`;

let rig: VerbRig;
let canary: ObedientNode;
let other: ObedientNode;
beforeEach(async () => {
  rig = await VerbRig.start();
  await rig.done("apply -f -", { stdin: "farm: {name: farms/web, connectTimeout: 1s}" });
  await rig.done("apply -f -", { stdin: policy });
  canary = await ObedientNode.connect(rig, "n1", { canary: "yes" });
  other = await ObedientNode.connect(rig, "n2", {});
});
afterEach(async () => {
  await canary.stop();
  await other.stop();
  await rig.close();
});

async function change(seconds: number): Promise<void> {
  await rig.done("apply -f -", { stdin: `farm: {name: farms/web, connectTimeout: ${seconds}s}` });
}

describe("a rollout, from its plan to its end", () => {
  it("goes wave by wave to every node, and all of it back", async () => {
    await change(2);
    const plan = await rig.done("rollout plan --diff");
    expect(plan).toContain("release      revision 3\ninstead of   revision 2, and 1 commit since\n");
    expect(plan).toContain("-     connectTimeout: 1s\n+     connectTimeout: 2s\n");
    expect(plan).toMatch(/1 canary +canary=yes +1 .* n1\n2 everybody +rest +1 .* n2\n/);
    expect(await rig.done("rollout start --dry-run")).toMatch(/^dry run: .* can be started; still at revision 3\n$/);

    const forward = await rig.run("rollout start --watch --reason faster");
    expect(forward).toMatchObject({ code: 0, stderr: "" });
    expect(forward.stdout).toMatch(/rollouts\/r4 completed: revision 3 is released to all nodes\n$/);
    expect(await rig.done("rollout status r4 --decisions")).toMatch(/released 2 everybody/);
    expect(await rig.run("rollout start")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^switchyard: refused: .*\(NOTHING_TO_RELEASE\)\n$/) as string,
    });

    await rig.done("rollout rollback --reason slower");
    const back = await rig.run("rollout status --watch");
    expect(back).toMatchObject({ code: 6, stderr: "" });
    expect(await rig.done("rollout list")).toMatch(/^rollouts\/r4 +ROLLED BACK +3 +2\/2 +default .* alice +faster$/m);
    expect(await rig.done("history")).toMatch(/slower \(rollouts\/r4 was rolled back by an operator\)\n/);
    expect(await rig.done("get nodes")).toMatch(/nodes\/n1 +eu +connected +2 /);
  });

  it("comes back by itself where the canary refuses it", async () => {
    await change(2);
    canary.trouble = { degraded: [{ name: "farms/web", reason: "refused", detail: "no", revision: 3n }] };
    const run = await rig.run("rollout start --watch");
    expect(run).toMatchObject({ code: 6, stderr: "" });
    expect(run.stdout).toMatch(/rollouts\/r4 rolled back: gate refused failed/);
    expect(await rig.done("show head")).toMatch(/rolled back: the gate refused failed\n +wave 1: .*1 refused/);
  });

  it("can be paused, promoted and aborted", async () => {
    await rig.done("apply -f -", {
      stdin: policy.replace('canary: "yes"}, bakeTime: 0s', 'canary: "yes"}, bakeTime: 3600s'),
    });
    await change(2);
    await rig.done("rollout start");
    expect(await rig.done("status")).toMatch(
      /^rollout {9}rollouts\/r\d+ running: revision \d+, 1 of 2 waves released$/m,
    );
    await rig.done("rollout pause");
    expect(await rig.run("rollout status --watch --exit-on-pause")).toMatchObject({ code: 8 });
    await rig.done("rollout resume");
    await rig.done("rollout abort");
    expect(await rig.run("rollout status --watch")).toMatchObject({ code: 7 });
    await rig.done("rollout start");
    await rig.done("rollout promote --all");
    expect(await rig.run("rollout status --watch")).toMatchObject({ code: 0 });
  });
});
