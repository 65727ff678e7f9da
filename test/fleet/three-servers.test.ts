import { connect } from "nats";
import { expect, test } from "vitest";
import { appFleet } from "./app-fleet.ts";
import { logNames } from "../../model/log-names.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { CommitStream } from "./commit-stream.ts";

const leadersKilled = 3;

/** The server that leads the log's stream, as the others say. */
async function leaderOf(servers: readonly NatsServer[]): Promise<NatsServer> {
  const connection = await connect({ servers: servers.map(({ url }) => url), timeout: 5000 });
  try {
    const manager = await connection.jetstreamManager();
    for (;;) {
      const info = await manager.streams.info(logNames().logStream).catch(() => undefined);
      const name = info?.cluster?.leader;
      if (name !== undefined && name !== "") return servers[Number(name.slice(1)) - 1] as NatsServer;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    await connection.close();
  }
}

test(`three servers, the leader killed ${leadersKilled} times under load: commits go on, none is lost, every node ends equal`, async () => {
  const { fleet, server } = await appFleet({ servers: 3, replicas: 2, nodes: 2 });
  const commits = new CommitStream(fleet, { name: "farms/app/servers/a", address: server.address });
  for (let round = 1; round <= leadersKilled; round += 1) {
    const before = commits.acknowledged.length;
    await waitFor("commits under this leader", () => commits.acknowledged.length > before + 20, 60_000);
    const leader = await leaderOf(fleet.servers);
    await leader.kill();
    const without = commits.acknowledged.length;
    await waitFor("commits under the next leader", () => commits.acknowledged.length > without + 20, 60_000);
    await leader.start();
  }
  await commits.stop();
  await fleet.allAt(commits.lastRevision);
  await fleet.allEqual();
  const committed = await fleet.committed();
  expect(commits.acknowledged.filter((each) => committed.get(each.requestId) !== each.revision)).toEqual([]);
}, 300_000);
