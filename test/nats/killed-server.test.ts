import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Command } from "../../controlplane/decide/command.ts";
import { LogUnavailable } from "../../controlplane/log/event-log.ts";
import { Committer } from "../../controlplane/state/committer.ts";
import { LiveConfiguration } from "../../controlplane/state/live-configuration.ts";
import { openCommit } from "../../model/wire/commit.ts";
import { plain } from "../contract/sealed-commit.ts";
import { written } from "../support/arbitrary-resource.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { runSeed, seededRandom } from "../support/seeded-random.ts";
import { waitFor } from "../support/wait-for.ts";
import { allCommits, TestFleet, type TestReplica } from "./fleet-log.ts";

/** More of them find more: `SWITCHYARD_KILL_ROUNDS=50`. */
const rounds = Number(process.env["SWITCHYARD_KILL_ROUNDS"] ?? 10);
const writersPerReplica = 4;

let server: NatsServer;
let fleet: TestFleet;

beforeEach(async () => {
  server = await startNatsServer();
  fleet = new TestFleet();
});

afterEach(async () => {
  await fleet.dispose();
  await server.dispose();
});

/** Creates a farm under a request id, again and again until the answer is that it is there. Its revision. */
async function create(committer: Committer, id: string): Promise<number> {
  const resource = written({ farm: { name: `farms/${id}` } });
  const command = (): Command => ({ type: "create", wish: { resource, path: "farm", etag: "" } });
  const requestBytes = new TextEncoder().encode(id);
  for (;;) {
    try {
      const by = { requestId: id, requestBytes, author: "test", reason: "", validateOnly: false };
      const answer = await committer.commit(command, by);
      if ("refused" in answer) throw new Error(`${id}: ${JSON.stringify(answer)}`);
      return answer.revision;
    } catch (error) {
      if (!(error instanceof LogUnavailable)) throw error;
      await pause(20);
    }
  }
}

test(
  "a server that is killed again and again under two writers: no acknowledged commit is lost, none is doubled",
  async () => {
    const random = seededRandom(runSeed());
    const acknowledged = new Map<string, number>();
    const replicas: { replica: TestReplica; live: LiveConfiguration }[] = [];
    let stopped = false;
    const writing: Promise<void>[] = [];
    for (const id of ["a", "b"]) {
      const replica = await fleet.replica(server.url, id);
      const live = await LiveConfiguration.open(replica.log, (error) => replica.reports.push(String(error)));
      const committer = new Committer(replica.log, live, () => 0);
      replicas.push({ replica, live });
      for (let writer = 0; writer < writersPerReplica; writer += 1) {
        const write = async (): Promise<void> => {
          for (let each = 0; !stopped; each += 1) {
            const requestId = `${id}-${writer}-${each}`;
            acknowledged.set(requestId, await create(committer, requestId));
          }
        };
        writing.push(write());
      }
    }
    for (let round = 0; round < rounds; round += 1) {
      const before = acknowledged.size;
      await waitFor("commits go on", () => acknowledged.size > before + 10);
      await pause(random() * 200);
      await server.kill("SIGKILL");
      await server.start();
    }
    const before = acknowledged.size;
    await waitFor("commits go on after the last one", () => acknowledged.size > before + 10);
    stopped = true;
    await Promise.all(writing);

    const [first, second] = replicas as [(typeof replicas)[number], (typeof replicas)[number]];
    const commits = await allCommits(first.replica.log);
    expect(plain(await allCommits(second.replica.log))).toEqual(plain(commits));
    const revisions = new Map<string, number>();
    for (const [index, sealed] of commits.entries()) {
      const opened = openCommit(sealed);
      if ("fault" in opened) throw new Error(opened.detail);
      expect(revisions.has(opened.commit.requestId)).toBe(false);
      revisions.set(opened.commit.requestId, index + 1);
    }
    for (const [requestId, revision] of acknowledged)
      expect(`${requestId} at ${revisions.get(requestId)}`).toBe(`${requestId} at ${revision}`);
    await first.live.catchUp();
    await second.live.catchUp();
    expect(plain(first.live.configuration.digest)).toEqual(plain(second.live.configuration.digest));
    expect(first.live.configuration.farms.size).toBe(acknowledged.size);
    const manager = await first.replica.connection.jetstreamManager();
    const { state } = await manager.streams.info("SWITCHYARD_LOG");
    expect([state.messages, state.last_seq]).toEqual([commits.length, commits.length]);
  },
  60_000 + rounds * 5_000,
);
