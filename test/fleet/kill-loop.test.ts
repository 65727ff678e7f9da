import { expect, test } from "vitest";
import { appFleet } from "./app-fleet.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { waitFor } from "../support/wait-for.ts";
import { CommitStream } from "./commit-stream.ts";
import { LongConnection } from "./long-connections.ts";
import type { RealFleet, RealNode } from "./real-fleet.ts";

/** Each of the three kinds is killed so often; `npm run test:kills` does it 50 times. */
const kills = Number(process.env["SWITCHYARD_KILLS"] ?? 5);

/** About three seconds for each kill. */
const timeoutMs = 15 * 60_000;

test.each(["nats-server", "a replica", "a node"] as const)(
  `kill -9 of %s, ${kills} times, at any moment: no acknowledged commit is lost or doubled, every node ends with the log's digest, no connection through another node breaks`,
  async (victim) => {
    const random = seededRandom(Number(process.env["SWITCHYARD_TEST_SEED"]));
    const { fleet, server } = await appFleet({ replicas: 2, nodes: 2 });
    const [first, second] = fleet.nodes as [RealNode, RealNode];
    // They flow through the first node, which is never killed.
    const connections = await Promise.all(Array.from({ length: 4 }, () => LongConnection.open(first, "app.test")));
    const commits = new CommitStream(fleet, { name: "farms/app/servers/a", address: server.address });
    for (let kill = 1; kill <= kills; kill += 1) {
      const seen = commits.acknowledged.length;
      await waitFor("a commit since the last kill", () => commits.acknowledged.length > seen);
      await new Promise((resolve) => setTimeout(resolve, Math.floor(random() * 100)));
      if (victim === "nats-server") {
        await fleet.nats.kill();
        await fleet.nats.start();
      } else {
        const process = victim === "a node" ? second.process : fleet.replicas[kill % 2]!.process;
        await process.kill();
        await process.start();
      }
      expect(connections.map(({ failure }) => failure?.message)).toEqual(connections.map(() => undefined));
    }
    const before = commits.lastRevision;
    await fleet.allAt(before);
    await commits.stop();
    await fleet.allAt(commits.lastRevision);
    await fleet.allEqual();
    for (const connection of connections) await connection.close();
    expect(connections.map(({ failure }) => failure?.message)).toEqual(connections.map(() => undefined));
    expect(Math.min(...connections.map(({ exchanged }) => exchanged))).toBeGreaterThan(kills);
    await expectEachOnce(fleet, commits);
  },
  timeoutMs,
);

/** By the history of each replica: every acknowledged request is there, at its revision, and no request id twice. */
async function expectEachOnce(of: RealFleet, { acknowledged }: CommitStream): Promise<void> {
  for (const replica of of.replicas) {
    const committed = await of.committed(replica);
    expect(acknowledged.filter(({ requestId, revision }) => committed.get(requestId) !== revision)).toEqual([]);
  }
  expect(acknowledged.length).toBeGreaterThan(kills);
}
