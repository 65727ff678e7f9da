import { afterEach, beforeEach, expect, test } from "vitest";
import { Change_Verb } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import { refusalText } from "./refusal-of.ts";
import { RunningControlPlane, wire } from "./running-control-plane.ts";

let running: RunningControlPlane;
beforeEach(async () => {
  running = await RunningControlPlane.start();
});
afterEach(() => running.close());

const farm = (id: string, connectAttemptsMax = 3): object => ({ farm: { name: `farms/${id}`, connectAttemptsMax } });
const server = (farmId: string, id: string): object => ({
  server: { name: `farms/${farmId}/servers/${id}`, address: "10.0.0.1:443" },
});
const apply = (resources: readonly object[], more: { prune?: boolean; write?: { validateOnly: boolean } } = {}) =>
  running.config.apply({ resources: resources.map(wire), ...more });
async function planOf(answer: ReturnType<typeof apply>): Promise<readonly string[]> {
  const { plan, revision } = await answer;
  const verbs = { [Change_Verb.VERB_CREATE]: "+", [Change_Verb.VERB_UPDATE]: "~", [Change_Verb.VERB_DELETE]: "-" };
  const lines = plan?.changes.map(({ verb, name, fields }) =>
    [verbs[verb as keyof typeof verbs], name, ...fields].join(" "),
  );
  return [...(lines ?? []), `${plan?.unchangedCount} unchanged at ${revision}`];
}

test("the plan has what is created, updated with its fields, deleted, and the number of what is so already", async () => {
  expect(await planOf(apply([server("web", "a"), farm("web"), farm("old")]))).toEqual([
    "+ farms/web",
    "+ farms/old",
    "+ farms/web/servers/a",
    "0 unchanged at 1",
  ]);
  const change = [farm("web", 5), server("web", "a"), server("web", "b")];
  const plan = ["~ farms/web connect_attempts_max", "+ farms/web/servers/b"];
  const dry = { prune: true, write: { validateOnly: true } };
  expect(await planOf(apply(change, dry))).toEqual([...plan, "- farms/old", "1 unchanged at 1"]);
  expect(running.plane.stats().resources).toBe(3);
  expect(await planOf(apply(change))).toEqual([...plan, "1 unchanged at 2"]);
  expect(await planOf(apply(change, { prune: true }))).toEqual(["- farms/old", "3 unchanged at 3"]);
  expect(await planOf(apply(change, { prune: true }))).toEqual(["3 unchanged at 3"]);
  expect(running.plane.position.revision).toBe(3);
});

test("one bad resource among many, and nothing at all is written", async () => {
  const many = Array.from({ length: 1000 }, (_, index) => farm(`f${index}`));
  expect(await refusalText(apply([...many, farm("Bad")]))).toBe(
    "INVALID_ARGUMENT INVALID_FIELD | resources[1000].farm.name: MALFORMED",
  );
  expect(await refusalText(apply([...many, server("none", "a")]))).toBe(
    "FAILED_PRECONDITION CONFIGURATION_CONFLICT | resources[1000].server.name: UNKNOWN_REFERENCE",
  );
  expect((await running.log.head()).revision).toBe(0);
  expect(running.plane.stats().resources).toBe(0);
});

test("an empty set changes nothing; with prune it takes everything away", async () => {
  await apply([farm("web"), server("web", "a")]);
  expect(await planOf(apply([]))).toEqual(["0 unchanged at 1"]);
  expect(await planOf(apply([], { prune: true }))).toEqual([
    "- farms/web/servers/a",
    "- farms/web",
    "0 unchanged at 2",
  ]);
});

test("prune does not take what the set still needs", async () => {
  await apply([farm("web"), server("web", "a")]);
  expect(await refusalText(apply([server("web", "a")], { prune: true }))).toMatch(
    /^FAILED_PRECONDITION CONFIGURATION_CONFLICT/,
  );
  expect(running.plane.stats().resources).toBe(2);
});

test("everything of one Apply is in one commit", async () => {
  await apply([farm("web"), server("web", "a"), server("web", "b")]);
  const { commit } = await running.config.getCommit({ revision: 1n });
  expect(commit?.events.map((event) => event.fact?.$case)).toEqual(["created", "created", "created"]);
  expect((await running.log.head()).revision).toBe(1);
});

test("more than 500,000 resources are refused, however small", async () => {
  const resources = Array.from({ length: 500_001 }, () => ({ kind: undefined }));
  expect(await refusalText(running.config.apply({ resources }))).toBe(
    "INVALID_ARGUMENT INVALID_FIELD | resources: TOO_MANY",
  );
});
