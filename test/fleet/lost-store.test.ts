import { expect, test } from "vitest";
import { appFleet } from "./app-fleet.ts";
import { CommitStream } from "./commit-stream.ts";
import { echoOnce } from "./long-connections.ts";
import { type RealFleet, until } from "./real-fleet.ts";

test.each([
  ["is deleted", (of: RealFleet) => of.nats.wipeStore()],
  ["is put back to an older copy", (_: RealFleet, older: () => void) => older()],
] as const)(
  "when the store of NATS %s, no acknowledged commit is missing, and every node serves on and ends equal",
  async (_what, damage) => {
    const { fleet, server } = await appFleet({ replicas: 2, nodes: 2 });
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
    const taken = async () => (await fleet.run(["apply", "-f", "-"], weight)).exitCode === 0;
    await until("a log that takes commits again", taken);
    await fleet.allAt(before + 2);
    await fleet.allEqual();
    const committed = await fleet.committed();
    expect(commits.acknowledged.filter((each) => committed.get(each.requestId) !== each.revision)).toEqual([]);
  },
  180_000,
);
