import { expect, it } from "vitest";
import { type AlertName, alertCode } from "../../../model/alert.ts";
import { clientHelloBytes } from "../../support/client-hello-bytes.ts";
import type { EngineRig } from "../../support/engine-rig.ts";
import { rejectWith } from "../../support/recording-handler.ts";
import { splitSocketAddress } from "../../../model/address.ts";
import { runTool } from "../../support/run-tool.ts";
import { waitFor } from "../../support/wait-for.ts";

/** `legacy_version` of the hello, and the version that such a client reads in a record. */
const versions: readonly (readonly [string, number, string])[] = [
  ["SSL 3.0", 0x0300, "0301"],
  ["TLS 1.0", 0x0301, "0301"],
  ["TLS 1.1", 0x0302, "0302"],
  ["TLS 1.2 and 1.3", 0x0303, "0303"],
];

export function rejectLaws(rig: () => EngineRig): void {
  it.each(Object.keys(alertCode) as AlertName[])(
    "a reject with %s is that alert, byte for byte, and a FIN",
    async (alert) => {
      const { handler } = rig();
      handler.onDecide = () => rejectWith({ alert, reason: "route_reject", context: "why" });
      const client = await rig().client(await rig().listen());
      client.write(clientHelloBytes());
      const received = await client.endsInOrder();
      expect(received.toString("hex")).toBe(`150303000202${alertCode[alert].toString(16)}`);
      client.end();
      const record = await handler.closedRecord();
      expect(record).toMatchObject({ reason: "route_reject", context: "why", connectAttempts: 0, connectMs: -1 });
    },
  );

  it.each(versions)(
    "the alert to a client of %s is in a record that it reads",
    async (_name, legacyVersion, version) => {
      const client = await rig().client(await rig().listen());
      client.write(clientHelloBytes({ legacyVersion }));
      expect((await client.endsInOrder()).toString("hex")).toBe(`15${version}00020270`);
    },
  );

  it("a rejected hello of a TLS client is answered with the alert", async () => {
    rig().handler.onDecide = () => rejectWith({ alert: "decode_error", reason: "hello_malformed" });
    const client = await rig().client(await rig().listen());
    client.write(clientHelloBytes({ serverName: "two words" }));
    expect((await client.endsInOrder()).toString("hex")).toMatch(/^15030[1-3]00020232$/);
  });

  it.each<readonly [string, Buffer, AlertName | null]>([
    ["a verdict without an alert", clientHelloBytes(), null],
    ["a client that does not speak TLS", Buffer.from("EHLO mail.test\r\n"), "decode_error"],
  ])("%s gets a FIN and no bytes", async (_who, bytes, alert) => {
    rig().handler.onDecide = () => rejectWith({ alert });
    const client = await rig().client(await rig().listen());
    client.write(bytes);
    expect(await client.endsInOrder()).toHaveLength(0);
  });

  it("the alert arrives although the client has sent more than was read", async () => {
    const client = await rig().client(await rig().listen());
    // Nothing is read here until all is sent: a RST would overtake the alert and destroy it.
    client.socket.pause();
    client.write(Buffer.concat([clientHelloBytes(), Buffer.alloc(200_000, 1)]));
    await waitFor("the verdict", () => rig().handler.arrivals.length === 1);
    client.socket.resume();
    expect((await client.endsInOrder()).toString("hex")).toBe("15030300020270");
    // libuv tells a RST that comes right behind bytes as an end; a byte more brings it to light.
    client.write("more");
    client.end();
    await waitFor("the close", () => client.closed);
    expect(client.errorCode).toBe("");
  });

  it("a rejected client that never closes is cut", async () => {
    const client = await rig().client(await rig().listen());
    client.write(clientHelloBytes());
    await client.endsInOrder();
    expect(await rig().handler.closedRecord()).toMatchObject({ reason: "no_route" });
  });

  it("a rejected client that sends without end is cut", async () => {
    const client = await rig().client(await rig().listen());
    const block = Buffer.alloc(65_536, 1);
    const push = (): void => {
      for (let taken = true; taken && !client.socket.destroyed; ) taken = client.socket.write(block);
    };
    client.socket.on("drain", push);
    client.write(clientHelloBytes());
    push();
    expect(await rig().handler.closedRecord()).toMatchObject({ reason: "no_route" });
    // Most of it is what the kernel's buffers take.
    expect(client.socket.bytesWritten - client.socket.writableLength).toBeLessThan(64 * 2 ** 20);
  });

  it.each(["-tls1_2", "-tls1_3"])("openssl %s reads the alert", async (version) => {
    const { host, port } = splitSocketAddress(await rig().listen());
    const args = ["s_client", "-connect", `${host}:${port}`, "-servername", "nobody.test", version];
    const run = await runTool("openssl", args, "openssl");
    expect(run.stderr).toContain("SSL alert number 112");
    expect(run.exitCode).not.toBe(0);
    expect(rig().handler.arrivals).toMatchObject([{ outcome: "complete", serverName: "nobody.test" }]);
  });
}
