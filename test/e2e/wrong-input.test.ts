import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AdminClient } from "../../cli/client/admin-client.ts";
import type { UpdateFarmResponse } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import { Farm } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { runVerb } from "../cli/run-verb.ts";
import { freePorts, TestInstance } from "./running-switchyard.ts";

/** Wrong input is refused as a whole, by field and line, and changes nothing (law 10). */
describe("wrong input changes nothing and names what is wrong:", () => {
  let instance: TestInstance;
  let folder: string;
  let before: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "switchyard-wrong-"));
    instance = await TestInstance.start();
    const [port] = await freePorts(1);
    await instance.apply(`
- farm: {name: farms/web}
- server: {name: farms/web/servers/a, address: "127.0.0.1:9999"}
- listener: {name: listeners/edge, addresses: ["127.0.0.1:${port}"]}
- route: {name: listeners/edge/routes/shop, match: {serverNames: [shop.test]}, action: {farm: farms/web}}
`);
  });

  beforeEach(async () => {
    before = await state();
  });

  afterAll(async () => {
    await instance.stop();
    rmSync(folder, { recursive: true });
  });

  /** Everything that is stored, and the revision. */
  async function state(): Promise<string> {
    const server = instance.admin;
    const all = await runVerb(["get", "all", "-o", "yaml"], { server });
    const history = await runVerb(["history"], { server });
    expect([all.code, history.code]).toEqual([0, 0]);
    return all.stdout + history.stdout;
  }

  async function refused(yaml: string): Promise<{ code: number | null; text: string }> {
    const file = join(folder, "input.yaml");
    writeFileSync(file, yaml);
    const run = await instance.cli(["apply", "-f", file]);
    expect(run.exitCode).not.toBe(0);
    expect(await state()).toBe(before);
    return { code: run.exitCode, text: run.stderr.replaceAll(`${folder}/`, "") };
  }

  test.each([
    ["YAML that does not parse", "farm: {name: farms/x", 2, /^input\.yaml:\d+:\d+: /m],
    ["a field that does not exist", "farm:\n  name: farms/x\n  colour: red\n", 2, /^input\.yaml:3:3: .*colour/m],
    [
      "a duration that is none",
      "farm:\n  name: farms/x\n  connectTimeout: soon\n",
      2,
      /^input\.yaml:3:\d+: .*connectTimeout/m,
    ],
    [
      "an address that does not parse",
      'server:\n  name: farms/web/servers/b\n  address: "10.0.0.300:443"\n',
      1,
      /^input\.yaml:3:\d+: .*address/m,
    ],
    [
      "an unknown farm",
      "route:\n  name: listeners/edge/routes/x\n  match: {serverNames: [x.test]}\n  action:\n    farm: farms/none\n",
      1,
      /^input\.yaml:5:\d+: .*farms\/none, which does not exist/m,
    ],
    [
      "two routes that conflict",
      "route:\n  name: listeners/edge/routes/shop2\n  match: {serverNames: [SHOP.test.]}\n  action: {farm: farms/web}\n",
      1,
      /^input\.yaml:\d+:\d+: .*routes\/shop2 and listeners\/edge\/routes\/shop would both match shop\.test/m,
    ],
    [
      "a stale etag",
      'farm: {name: farms/web, connectTimeout: 9s, etag: "0123456789abcdef"}',
      1,
      /etag: farms\/web has changed/,
    ],
  ])("%s", async (_what, yaml, code, text) => {
    const answer = await refused(yaml);
    expect(answer.text).toMatch(text);
    expect(answer.code).toBe(code);
  });

  test("one bad resource among many good ones", async () => {
    const good = Array.from({ length: 50 }, (_, index) => `- farm: {name: farms/f${index}}`).join("\n");
    await refused(`${good}\n- server: {name: farms/f1/servers/a, address: "nonsense"}`);
  });

  test("a repeated request id: the same command is answered again, another is refused", async () => {
    const apply = (timeout: string) =>
      instance.cli(["apply", "-f", "-", "--request-id", "r-42"], `farm: {name: farms/web, connectTimeout: ${timeout}}`);
    expect((await apply("7s")).exitCode).toBe(0);
    const after = await state();
    const again = await apply("7s");
    expect(again.exitCode).toBe(0);
    const other = await apply("8s");
    expect(other.exitCode).toBe(1);
    expect(other.stderr).toContain("request_id");
    expect(await state()).toBe(after);
  });

  test("a stale etag through the API is ABORTED, and names itself", async () => {
    const client = new AdminClient(instance.admin, 10_000);
    const connectTimeout = { seconds: 3n, nanos: 0 };
    const farm = Farm.fromPartial({ name: "farms/web", connectTimeout, etag: "ffffffffffffffff" });
    const update = client.unary<UpdateFarmResponse>((...tail) =>
      client.config.updateFarm({ farm, updateMask: ["connect_timeout"], write: undefined }, ...tail),
    );
    await expect(update).rejects.toMatchObject({ code: 10 });
    client.close();
    expect(await state()).toBe(before);
  });
});

test("100,000 routes in one Apply work, by the command line, and the node serves them", async () => {
  const instance = await TestInstance.start();
  const folder = mkdtempSync(join(tmpdir(), "switchyard-many-"));
  try {
    const [port] = await freePorts(1);
    const file = join(folder, "many.yaml");
    const routes = Array.from(
      { length: 100_000 },
      (_, index) =>
        `- route: {name: listeners/edge/routes/r${index}, match: {serverNames: [n${index}.test]}, action: {farm: farms/web}}`,
    );
    const rest = ["- farm: {name: farms/web}", `- listener: {name: listeners/edge, addresses: ["127.0.0.1:${port}"]}`];
    writeFileSync(file, [...rest, ...routes].join("\n"));
    const run = await instance.cli(["apply", "-q", "-f", file, "--timeout", "5m"]);
    expect(run.stderr).toBe("");
    expect(run.exitCode).toBe(0);
    await instance.settled();
    const metrics = await (await fetch(`http://127.0.0.1:${instance.opsPort}/metrics`)).text();
    expect(metrics).toContain("switchyard_node_table_names 100000\n");
    const explained = await instance.cli(["explain", "--sni", "n99999.test"]);
    expect(explained.stdout).toContain("listeners/edge/routes/r99999");
  } finally {
    await instance.stop();
    rmSync(folder, { recursive: true });
  }
}, 300_000);
