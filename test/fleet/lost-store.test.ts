import { afterEach, expect, test } from "vitest";
import { freePorts } from "../e2e/running-switchyard.ts";
import { CommitStream } from "./commit-stream.ts";
import { EchoServer, echoOnce } from "./long-connections.ts";
import { RealFleet } from "./real-fleet.ts";

let fleet: RealFleet | undefined;
let server: EchoServer | undefined;
afterEach(async () => {
  await fleet?.stop();
  await server?.close();
  fleet = undefined;
  server = undefined;
});

test.each([
  ["is deleted", (of: RealFleet) => of.nats.wipeStore()],
  ["is put back to an older copy", (_: RealFleet, older: () => void) => older()],
] as const)(
  "when the store of NATS %s, no acknowledged commit is missing, and every node serves on and ends equal",
  async (_what, damage) => {
    server = await EchoServer.listen("app.test");
    const [port] = (await freePorts(1)) as [number];
    fleet = await RealFleet.start({ replicas: 2, nodes: 2 });
    await fleet.apply(`
- farm: {name: farms/app}
- server: {name: farms/app/servers/a, address: "${server.address}"}
- listener: {name: listeners/edge, addresses: ["127.0.0.1:${port}"]}
- route: {name: listeners/edge/routes/app, match: {serverNames: [app.test]}, action: {farm: farms/app}}
`);
    await fleet.allAt(1);
    await fleet.nats.kill("SIGTERM");
    const older = fleet.nats.saveStore();
    await fleet.nats.start();
    const commits = new CommitStream(fleet, { name: "farms/app/servers/a", address: server.address });
    await fleet.allAt(50);
    await commits.stop();
    const before = commits.lastRevision;
    await fleet.nats.kill();
    damage(fleet, older);
    await fleet.nats.start();
    await echoOnce(port, "app.test");
    // The rebuilt log has every commit, and the mark of its new epoch.
    await fleet.allAt(before + 1);
    await echoOnce(port, "app.test");
    await fleet.apply(`- server: {name: farms/app/servers/a, address: "${server.address}", weight: 256}`);
    await fleet.allAt(before + 2);
    await fleet.allEqual();
    const committed = await fleet.committed();
    expect(commits.acknowledged.filter((each) => committed.get(each.requestId) !== each.revision)).toEqual([]);
  },
  180_000,
);
