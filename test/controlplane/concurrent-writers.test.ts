import type { ServiceError } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { origin } from "../../model/commit.ts";
import { Configuration } from "../../model/configuration.ts";
import { openNextCommit } from "../../model/wire/commit.ts";
import type { ConfigCalls } from "./running-control-plane.ts";
import { readRefusal } from "./refusal-of.ts";
import { RunningControlPlane } from "./running-control-plane.ts";

let running: RunningControlPlane;
beforeEach(async () => {
  running = await RunningControlPlane.start();
});
afterEach(() => running.close());

/** The whole log, opened and folded: throws where the chain is broken. */
async function folded(): Promise<Configuration> {
  const configuration = new Configuration();
  const { revision } = await running.log.head();
  for (const sealed of await running.log.read(origin.revision, revision)) {
    const opened = openNextCommit(configuration.position, sealed);
    if ("fault" in opened) throw new Error(opened.detail);
    for (const event of opened.commit.events)
      if (event.type === "created" && configuration.resource(event.resource.name) !== undefined)
        throw new Error(`${event.resource.name} was created twice`);
    configuration.apply(opened.commit, opened.position);
  }
  return configuration;
}
const create = (config: ConfigCalls, id: string) => config.createFarm({ farm: { name: `farms/${id}` } });

test("50 creates at once succeed once each, at revisions of their own, in an unbroken chain", async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => create(running.config, `f${index}`)));
  const revisions = answers.map(({ revision }) => Number(revision)).sort((left, right) => left - right);
  expect(revisions).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  expect((await folded()).farms.size).toBe(50);
});

test("of 50 creates of one name one succeeds", async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => create(running.config, "only")));
  expect(outcomes.filter(({ status }) => status === "fulfilled").length).toBe(1);
  expect((await folded()).position.revision).toBe(1);
});

describe("two replicas on one log", () => {
  test("decide again what the other was faster with: nothing is lost, nothing is doubled", async () => {
    const replica = await running.replica();
    try {
      const calls = Array.from({ length: 100 }, (_, index) =>
        create(index % 2 === 0 ? running.config : replica.config, `f${index}`),
      );
      const revisions = (await Promise.all(calls)).map(({ revision }) => revision);
      expect(new Set(revisions).size).toBe(100);
      const configuration = await folded();
      expect(configuration.farms.size).toBe(100);
      expect(configuration.position.revision).toBe(100);
      // Both have folded the same.
      for (const { listFarms } of [running.config, replica.config])
        expect(await listFarms({ pageSize: 1000 })).toMatchObject({ revision: 100n });
    } finally {
      await replica.close();
    }
  });

  test("never both take a match key, or a name", async () => {
    const replica = await running.replica();
    try {
      await create(running.config, "web");
      await running.config.createListener({ listener: { name: "listeners/edge", addresses: ["127.0.0.1:443"] } });
      for (let round = 0; round < 20; round += 1) {
        const route = (id: string) => ({
          name: `listeners/edge/routes/${id}${round}`,
          match: { serverNames: [`shop${round}.test`] },
          action: { kind: { $case: "farm" as const, value: "farms/web" } },
        });
        const outcomes = await Promise.allSettled([
          running.config.createRoute({ route: route("a") }),
          replica.config.createRoute({ route: route("b") }),
        ]);
        expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
        for (const outcome of outcomes)
          if (outcome.status === "rejected")
            expect(readRefusal(outcome.reason as ServiceError)).toMatchObject({ reason: "CONFIGURATION_CONFLICT" });
      }
      expect((await folded()).routes.size).toBe(20);
    } finally {
      await replica.close();
    }
  });

  test("one reads what the other wrote, at once", async () => {
    const replica = await running.replica();
    try {
      for (let index = 0; index < 20; index += 1) {
        const { revision } = await create(running.config, `f${index}`);
        const { farm } = await replica.config.getFarm({ name: `farms/f${index}` });
        expect(farm?.name).toBe(`farms/f${index}`);
        expect((await replica.config.listFarms({})).revision).toBe(revision);
      }
    } finally {
      await replica.close();
    }
  });
});
