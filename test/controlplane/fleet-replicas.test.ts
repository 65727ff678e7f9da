import { status } from "@grpc/grpc-js";
import { connect, type NatsConnection } from "nats";
import { afterEach, beforeEach, expect, test } from "vitest";
import { logNames } from "../../model/log-names.ts";
import { type FleetReplica, FleetRig } from "./fleet-rig.ts";

const digest = new Uint8Array(32);

let rig: FleetRig;
let one: FleetReplica;
let two: FleetReplica;
beforeEach(async () => {
  rig = await FleetRig.start();
  one = await rig.replica("cp-1");
  two = await rig.replica("cp-2");
});
afterEach(() => rig.close());

const both = [() => one, () => two] as const;
const alike = (wanted: readonly string[]) => (seen: readonly string[]) => seen.join() === wanted.join();

async function nodesOnBoth() {
  const first = await one.node().hello("n1", { region: "eu", bootId: "b1" }).welcomed();
  const second = await two.node().hello("n2", { region: "us", bootId: "b2" }).welcomed();
  first.report({ digest, connections: 3n });
  second.report({ digest, connections: 4n });
  for (const replica of both) await replica().until(() => replica().holders(), alike(["n1@cp-1", "n2@cp-2"]));
  return { first, second };
}

test("each replica answers for the nodes of all", async () => {
  await nodesOnBoth();
  for (const [index, replica] of both.entries()) {
    const fleet = await replica().until(
      () => replica().getFleet(),
      ({ regions }) => regions.every(({ connections }) => connections > 0n),
    );
    expect(fleet.replicas).toEqual(index === 0 ? ["cp-1", "cp-2"] : ["cp-2", "cp-1"]);
    expect(fleet.regions).toMatchObject([
      { region: "eu", nodes: 1, connected: 1, connections: 3n },
      { region: "us", nodes: 1, connected: 1, connections: 4n },
    ]);
  }
});

test("what is news to one is told to the other: reports, traffic, a session's end", async () => {
  const { first } = await nodesOnBoth();
  const degraded = [{ name: "listeners/edge", reason: "address_in_use" }];
  first.report({ digest, degraded, draining: true });
  first.traffic({ routes: [{ route: "r", traffic: { connections: 5n, ended: { done: 5n } } }] });
  const seen = await two.until(
    () => two.listNodes(),
    ([node]) => node?.draining === true && node.traffic?.connections === 5n,
  );
  expect(seen[0]).toMatchObject({ degraded, traffic: { ended: { done: 5n } } });
  first.finish();
  await two.until(() => two.holders(), alike(["n1@cp-1 gone", "n2@cp-2"]));
});

test("a killed replica's nodes are gone until they come to the other one, and then there once", async () => {
  await nodesOnBoth();
  await one.kill();
  await two.until(() => two.holders(), alike(["n1@cp-1 gone", "n2@cp-2"]));
  expect((await two.getFleet()).replicas).toEqual(["cp-2"]);
  await two.node().hello("n1", { region: "eu", bootId: "b1" }).welcomed();
  expect(await two.holders()).toEqual(["n1@cp-2", "n2@cp-2"]);
  const three = await rig.replica("cp-3");
  await three.until(() => three.holders(), alike(["n1@cp-2", "n2@cp-2"]));
});

test("a node that changes replicas takes its sums along", async () => {
  const { first } = await nodesOnBoth();
  first.traffic({ unrouted: { connections: 5n } });
  first.finish();
  const sum = ([node]: readonly { traffic: { connections: bigint } | undefined }[]): bigint | undefined =>
    node?.traffic?.connections;
  await two.until(
    () => two.listNodes(),
    (nodes) => sum(nodes) === 5n && nodes[0]?.connected === false,
  );
  const again = await two.node().hello("n1", { bootId: "b1" }).welcomed();
  again.traffic({ unrouted: { connections: 2n } });
  await one.until(
    () => one.listNodes(),
    (nodes) => nodes[0]?.replica === "cp-2" && sum(nodes) === 7n,
  );
  expect(await one.holders()).toEqual(["n1@cp-2", "n2@cp-2"]);
});

test("a directive finds its node through the other replica, and a dump of any size comes back", async () => {
  const { first } = await nodesOnBoth();
  const asked = two.direct("nodes/n1", { $case: "dumpTable", value: { listener: "", prefix: "", limit: 0 } });
  const { id, action } = await first.directive();
  expect(action).toMatchObject({ $case: "dumpTable", value: { limit: 1000 } });
  const entries = Array.from({ length: 9000 }, (_, index) => ({
    listener: "listeners/edge",
    serverName: `name-${index}.${"x".repeat(200)}.example`,
    route: `listeners/edge/routes/r${index}`,
  }));
  first.answer({ id, refused: "", table: { revision: 7n, entries, truncated: true }, explain: undefined });
  const result = await asked;
  expect(result?.table).toMatchObject({ revision: 7n, truncated: true });
  expect(result?.table?.entries).toEqual(entries);
});

test("a directive for a node that left, on whichever replica, is refused with a reason", async () => {
  const { first } = await nodesOnBoth();
  const drain = { $case: "drain", value: {} } as const;
  await expect(two.direct("nodes/nobody", drain)).rejects.toMatchObject({ code: status.NOT_FOUND });
  first.finish();
  await two.until(() => two.holders(), alike(["n1@cp-1 gone", "n2@cp-2"]));
  await expect(two.direct("nodes/n1", drain)).rejects.toMatchObject({ code: status.UNAVAILABLE });
});

test("without NATS each shows its own, and what it missed is made up for afterwards", async () => {
  await nodesOnBoth();
  await rig.nats.kill();
  await one.until(() => one.holders(), alike(["n1@cp-1", "n2@cp-2 gone"]));
  const third = await one.node().hello("n3").welcomed();
  expect(await one.holders()).toEqual(["n1@cp-1", "n2@cp-2 gone", "n3@cp-1"]);
  third.finish();
  await rig.nats.start();
  for (const replica of both)
    await replica().until(() => replica().holders(), alike(["n1@cp-1", "n2@cp-2", "n3@cp-1 gone"]));
});

test("nonsense on the subjects is reported and passed over", async () => {
  const { fleetSubject, fleetSyncSubject, directiveSubject } = logNames();
  const { first } = await nodesOnBoth();
  const stranger: NatsConnection = await connect({ servers: rig.nats.url });
  const { headers } = await import("nats");
  const labelled = (label: string) => {
    const part = headers();
    part.set("Switchyard-Part", label);
    return { headers: part };
  };
  for (const subject of [fleetSubject, fleetSyncSubject, directiveSubject]) {
    stranger.publish(subject, Buffer.from([0xff]));
    stranger.publish(subject, Buffer.from([0xff]), labelled("stranger 1 0 1"));
    stranger.publish(subject, Buffer.from([0xff]), labelled("stranger 2 1 2"));
    stranger.publish(subject, Buffer.from([0xff]), labelled("stranger one 0 1"));
  }
  await stranger.flush();
  await stranger.close();
  first.report({ digest, connections: 9n });
  await two.until(
    () => two.listNodes(),
    ([node]) => node?.connections === 9n,
  );
  // An update, and directives of which the subject does not look at parts, at each of the two.
  expect(rig.faults.splice(0).length).toBe(2 + 2 * 2);
});
