import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { appFleet } from "./app-fleet.ts";
import { echoOnce } from "./long-connections.ts";

/** Debian keeps the library in a folder of the architecture's. */
function fakeTimeLibrary(): string {
  const folders = readdirSync("/usr/lib").map((name) => join("/usr/lib", name, "faketime/libfaketimeMT.so.1"));
  const found = folders.find((path) => existsSync(path));
  if (found === undefined) throw new Error("libfaketime is missing: apt-get install faketime");
  return found;
}

test.each(["+1h", "-1h"])(
  "a node whose clock is off by %s follows, serves and reports as the others",
  async (offset) => {
    const { fleet, server } = await appFleet({ replicas: 1, nodes: 1 });
    const off = { LD_PRELOAD: fakeTimeLibrary(), FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: "1" };
    const node = await fleet.addNode("off", off);
    await node.process.start();
    await fleet.apply(`- server: {name: farms/app/servers/a, address: "${server.address}", weight: 9}`);
    await fleet.allAt(2);
    await fleet.allEqual();
    for (let visit = 0; visit < 20; visit += 1) await echoOnce(node, "app.test");
    expect(await fleet.metric(node, "switchyard_node_ready")).toBe(1);
  },
);
