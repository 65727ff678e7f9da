import { afterEach, expect, test } from "vitest";
import { CommitStream } from "./commit-stream.ts";
import { EchoServer, echoOnce } from "./long-connections.ts";
import { RealFleet, until } from "./real-fleet.ts";

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
    fleet = await RealFleet.start({ replicas: 2, nodes: 2 });
    server = await EchoServer.listen(fleet.network.address, "app.test");
    await fleet.applyApp(server.address);
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
    for (const node of fleet.nodes) await echoOnce(node, "app.test");
    // The rebuilt log has every commit, and the mark of its new epoch.
    await fleet.allAt(before + 1);
    for (const node of fleet.nodes) await echoOnce(node, "app.test");
    // While the log is being rebuilt it says so, and takes nothing.
    const weight = `- server: {name: farms/app/servers/a, address: "${server.address}", weight: 256}`;
    const taken = async () => (await fleet!.run(["apply", "-f", "-"], weight)).exitCode === 0;
    await until("a log that takes commits again", taken);
    await fleet.allAt(before + 2);
    await fleet.allEqual();
    const committed = await fleet.committed();
    expect(commits.acknowledged.filter((each) => committed.get(each.requestId) !== each.revision)).toEqual([]);
  },
  180_000,
);
