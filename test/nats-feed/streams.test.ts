import { type NatsConnection, StorageType } from "nats";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectNats } from "../../controlplane/nats/connect.ts";
import { checkServerVersion, serverWarnings } from "../../controlplane/nats/server-version.ts";
import { ensureStreams } from "../../controlplane/nats/streams.ts";
import { logNames } from "../../model/log-names.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";

let server: NatsServer;
let connection: NatsConnection;

beforeAll(async () => {
  server = await startNatsServer();
  connection = await connectNats({ servers: server.url, name: "streams-test" });
});

afterAll(async () => {
  await connection.close();
  await server.dispose();
});

const sound = { replicas: 1, logBytesMax: 1_000_000, blobBytesMax: 1_000_000, snapshotBytesMax: 1_000_000 };

describe("the streams of the log", () => {
  it("are made once, and found as they should be after that", async () => {
    const names = logNames("once");
    const all = (outcome: string): readonly string[] =>
      ["LOG", "BLOBS", "SNAPSHOTS", "LEASE"].map((stream) => `ONCE_${stream} ${outcome}`);
    const outcomes = async (): Promise<readonly string[]> =>
      (await ensureStreams(connection, names, sound)).map(({ stream, outcome }) => `${stream} ${outcome}`);
    expect(await outcomes()).toEqual(all("made"));
    expect(await outcomes()).toEqual(all("unchanged"));
    const manager = await connection.jetstreamManager();
    expect((await manager.streams.info(names.logStream)).config).toMatchObject({
      deny_delete: true,
      deny_purge: true,
      allow_direct: true,
      discard: "new",
      republish: { src: "once.log", dest: "once.feed" },
    });
  });

  it("are made by several at once", async () => {
    const names = logNames("several");
    const all = await Promise.all([1, 2, 3, 4].map(() => ensureStreams(connection, names, sound)));
    expect(all.map((each) => each.length)).toEqual([4, 4, 4, 4]);
  });

  it("are brought back to a setting that was changed, and keep the room that they were given", async () => {
    const names = logNames("changed");
    await ensureStreams(connection, names, sound);
    const manager = await connection.jetstreamManager();
    const { config } = await manager.streams.info(names.logStream);
    await manager.streams.update(names.logStream, { ...config, allow_direct: false, max_bytes: 2_000_000 });
    const [log] = await ensureStreams(connection, names, sound);
    expect(log).toEqual({ stream: "CHANGED_LOG", outcome: "changed", settings: ["allow_direct"] });
    expect((await manager.streams.info(names.logStream)).config).toMatchObject({
      allow_direct: true,
      max_bytes: 2_000_000,
    });
  });

  it.each([
    ["republish", { republish: { src: "fixed1.log", dest: "elsewhere" } }],
    ["storage", { storage: StorageType.Memory }],
  ])("are not taken over where they can't be changed: %s", async (setting, settings) => {
    const names = logNames("fixed1");
    const manager = await connection.jetstreamManager();
    await manager.streams.add({ name: names.logStream, subjects: [names.logSubject], ...settings });
    await expect(ensureStreams(connection, names, sound)).rejects.toThrow(
      new RegExp(`^stream FIXED1_LOG is there with another (?:storage, )?${setting}`),
    );
    await manager.streams.delete(names.logStream);
  });

  it("are refused by a server that does not take a setting, and the setting is named", async () => {
    await expect(ensureStreams(connection, logNames("three"), { ...sound, replicas: 3 })).rejects.toThrow(/replicas/);
    const ignoring: NatsConnection = Object.create(connection, {
      jetstreamManager: {
        value: async () => ({
          streams: {
            info: async (stream: string) => (await connection.jetstreamManager()).streams.info(stream),
            add: async (wanted: object) => ({ config: { ...wanted, allow_direct: false } }),
          },
        }),
      },
    }) as NatsConnection;
    await expect(ensureStreams(ignoring, logNames("ignored"), sound)).rejects.toThrow(
      "stream IGNORED_LOG: the server did not take allow_direct",
    );
  });
});

describe("a server's version", () => {
  it.each([
    ["2.8.4", false, 0],
    ["", false, 0],
    ["1.99.0", false, 0],
    ["2.9.10", true, 2],
    ["2.10.19", true, 0],
    ["2.10.20", false, 0],
    ["2.10.22", false, 0],
    ["2.10.23", true, 0],
    ["2.12.1-beta", true, 0],
    ["3.0.0", true, 0],
  ])("%s: taken %s, with %i warnings for three replicas", (version, taken, warnings) => {
    if (taken) {
      checkServerVersion(version);
      expect(serverWarnings(version, 3)).toHaveLength(warnings);
    } else expect(() => checkServerVersion(version)).toThrow("nats-server");
  });
});
