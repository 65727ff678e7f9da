import { expect, test } from "vitest";
import { appFleet } from "./app-fleet.ts";
import { echoOnce, LongConnection } from "./long-connections.ts";

test("with control plane and NATS gone, new connections are routed, and a node that is killed comes back from its cache", async () => {
  const { fleet, server } = await appFleet({ replicas: 1, nodes: 1 });
  const [node] = fleet.nodes;
  const lasting = await LongConnection.open(node!, "app.test");

  await fleet.replicas[0]!.process.kill();
  await fleet.nats.kill();
  for (let visit = 0; visit < 20; visit += 1) await echoOnce(node!, "app.test");
  expect(lasting.failure).toBeUndefined();
  await lasting.close();

  await node!.process.kill();
  await node!.process.start();
  expect(await fleet.metric(node!, "switchyard_node_revision")).toBe(1);
  for (let visit = 0; visit < 20; visit += 1) await echoOnce(node!, "app.test");

  // When all is back the node goes on by itself.
  await fleet.nats.start();
  await fleet.replicas[0]!.process.start();
  await fleet.apply(`- server: {name: farms/app/servers/a, address: "${server.address}", weight: 9}`);
  await fleet.allAt(2);
  await fleet.allEqual();
});
