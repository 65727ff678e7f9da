import pino from "pino";
import { describe, expect, it } from "vitest";
import { joinSocketAddress } from "../../model/address.ts";
import type { Farm, Server } from "../../model/resource.ts";
import { helloWith, serverName } from "../../test/corpus/hello-builder.ts";
import { written } from "../../test/support/arbitrary-resource.ts";
import type { ClosedConnection } from "../engine/engine.ts";
import { readHello } from "../hello/hello-reader.ts";
import { RoutedConnection } from "../routed-connection.ts";
import { logConnection } from "./access-log.ts";

const closed: ClosedConnection = {
  id: 1,
  listener: "listeners/edge",
  source: joinSocketAddress("192.0.2.7", 50_000),
  reason: "done",
  context: undefined,
  acceptedAtMs: Date.parse("2026-11-22T12:51:36.123Z"),
  helloMs: 3,
  connectMs: 4,
  totalMs: 100,
  connectAttempts: 2,
  bytesFromClient: 517,
  bytesFromServer: 4000,
};

function routedAs(name: string | null): RoutedConnection {
  const routed = new RoutedConnection(1, "listeners/edge", name, "listeners/edge/routes/web", 5);
  routed.farm = written({ farm: { name: "farms/web" } }) as Farm;
  routed.server = written({ server: { name: "farms/web/servers/a", address: "127.0.0.1:1" } }) as Server;
  routed.chosenBy = "affinity";
  routed.resumption = "accepted";
  return routed;
}

/** What was written, to the byte. */
function logged(routedConnection: RoutedConnection | undefined): string {
  let text = "";
  logConnection(pino({}, { write: (line: string) => (text += line) }), closed, routedConnection, "n1");
  return text;
}

describe("the access log", () => {
  it("has one line of JSON per connection, with everything that is known of it", () => {
    const text = logged(routedAs("web.test"));
    expect(text).toMatch(/^[^\n]+\n$/);
    expect(JSON.parse(text)).toMatchObject({
      msg: "connection",
      listener: "listeners/edge",
      source: "192.0.2.7:50000",
      serverName: "web.test",
      route: "listeners/edge/routes/web",
      farm: "farms/web",
      server: "farms/web/servers/a",
      revision: 5,
      bytesFromClient: 517,
      bytesFromServer: 4000,
      acceptedAt: "2026-11-22T12:51:36.123Z",
      helloMs: 3,
      connectMs: 4,
      totalMs: 100,
      connectAttempts: 2,
      chosenBy: "affinity",
      resumption: "accepted",
      uniqueId: "n1-1",
      reason: "done",
    });
    expect((JSON.parse(text) as { time: unknown }).time).toEqual(expect.any(Number));
  });

  it("has null for what a connection never came to", () => {
    const nothing = { serverName: null, route: null, farm: null, server: null, revision: null };
    expect(JSON.parse(logged(undefined))).toMatchObject(nothing);
  });

  it.each(['a"b.test', "a\\n.test", '","reason":"forged', "{}[]$&<script>", "%0a%0d\\u000a"])(
    "stays one line, of the same fields, for the name %s",
    (name) => {
      const hello = readHello(helloWith(serverName(name)), 16_384);
      if (hello.outcome !== "complete") throw new Error("the name was to be taken");
      const text = logged(routedAs(hello.hello.serverName()));
      expect(text).toMatch(/^[^\n\r]+\n$/);
      const line = JSON.parse(text) as Record<string, unknown>;
      expect(line).toMatchObject({ serverName: name, reason: "done" });
      expect(Object.keys(line)).toEqual(Object.keys(JSON.parse(logged(routedAs("web.test"))) as object));
    },
  );
});
