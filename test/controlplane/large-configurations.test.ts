import { afterEach, beforeEach, expect, test } from "vitest";
import { commitBytesMax as logCommitBytesMax } from "../../controlplane/log/append-limits.ts";
import { messageBytesMax } from "../../controlplane/admin/admin-server.ts";
import { commitBytesMax } from "../../controlplane/state/committer.ts";
import { refusalOf } from "./refusal-of.ts";
import { RunningControlPlane, wire } from "./running-control-plane.ts";

let running: RunningControlPlane;
beforeEach(async () => {
  running = await RunningControlPlane.start();
});
afterEach(() => running.close());

const edge = wire({ listener: { name: "listeners/edge", addresses: ["127.0.0.1:443"] } });
const web = wire({ farm: { name: "farms/web" } });

function route(index: number, serverNames: string[]) {
  const value = { name: `listeners/edge/routes/r${index}`, match: { serverNames }, action: farmAction };
  return { kind: { $case: "route" as const, value } };
}
const farmAction = { kind: { $case: "farm" as const, value: "farms/web" } };

test("100,000 routes in one Apply are one commit; they are followed, listed, and there after a restart", async () => {
  const routes = Array.from({ length: 100_000 }, (_, index) => route(index, [`host${index}.example.com`]));
  const { plan, revision } = await running.config.apply({ resources: [edge, web, ...routes] });
  expect(revision).toBe(1n);
  expect(plan?.changes.length).toBe(100_002);

  const follower = running.watch();
  await follower.until("the commit", ([first]) => first?.part?.$case === "commit");
  const state = running.state(1n);
  expect(await state.ended()).toBeUndefined();
  expect(state.messages[0]?.part).toMatchObject({ $case: "header", value: { resourceCount: 100_002n } });

  // Among so many a tie is still found, and one change is one change.
  const tie = await refusalOf(
    running.config.createRoute({ route: route(100_000, ["HOST77777.example.com"]).kind.value }),
  );
  expect(tie.message).toContain("listeners/edge/routes/r77777");
  await running.config.deleteRoute({ name: "listeners/edge/routes/r77777" });
  await running.restart();
  expect(running.plane.stats().resources).toBe(100_001);
  expect((await running.config.listRoutes({ pageSize: 1000 })).routes.length).toBe(1000);
});

/** Routes with 1000 names of about 231 bytes each, on the wire. */
const heavy = (count: number) =>
  Array.from({ length: count }, (_, index) => {
    const label = "x".repeat(63);
    return route(
      index,
      Array.from({ length: 1000 }, (__, n) => `${label}.${label}.${label}.${label.slice(0, 20)}.r${index}.n${n}.test`),
    );
  });

test("a message above 64 MiB is refused, naming the limit, and the server goes on", async () => {
  const { code, message } = await refusalOf(running.config.apply({ resources: heavy(300) }));
  expect(code).toBe("RESOURCE_EXHAUSTED");
  expect(message).toContain(String(messageBytesMax));
  expect((await running.config.listRoutes({})).revision).toBe(0n);
});

test("what a commit may be fits into the log, and with its wrapping into a follower's message", () => {
  expect(commitBytesMax).toBeLessThanOrEqual(logCommitBytesMax);
  expect(commitBytesMax + 1024).toBeLessThanOrEqual(messageBytesMax);
});
