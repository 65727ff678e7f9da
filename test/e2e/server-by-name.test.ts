import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alertCode } from "../../model/alert.ts";
import { TlsTestServer } from "../support/tls-test-server.ts";
import { freePorts, TestInstance } from "./running-switchyard.ts";
import { openssl, subjectSeen } from "./tls-clients.ts";

/** The other classic set-up: one farm, and the name says which of its servers. */
describe("server by name inside one farm", () => {
  let instance: TestInstance;
  let port: number;
  const servers: TlsTestServer[] = [];

  beforeAll(async () => {
    port = (await freePorts(1))[0] as number;
    for (const name of ["s1", "s2", "s3"]) servers.push(await TlsTestServer.listen(name));
    instance = await TestInstance.start();
    await instance.apply(`
resources:
${servers.map(({ name, address }) => `- server: {name: farms/mail/servers/${name}, address: "${address}"}`).join("\n")}
- farm: {name: farms/mail, connectTimeout: 5s, serverIdleTimeout: 30s}
- listener:
    name: listeners/mail
    addresses: ["127.0.0.1:${port}"]
    defaultAction: {server: farms/mail/servers/s3}
- route: {name: listeners/mail/routes/s1, match: {serverNames: [s1.test]}, action: {server: farms/mail/servers/s1}}
- route: {name: listeners/mail/routes/s2, match: {serverNames: [s2.test]}, action: {server: farms/mail/servers/s2}}
`);
  });

  afterAll(async () => {
    await instance.stop();
    for (const server of servers) await server.close();
  });

  test.each([
    ["s1.test", "s1"],
    ["s2.test", "s2"],
    ["s3.test", "s3"],
    ["anything.test", "s3"],
    [null, "s3"],
  ])("the name %s reaches %s, every time", async (name, server) => {
    for (let visit = 0; visit < 3; visit += 1) expect(await subjectSeen(port, name)).toBe(server);
  });

  test("a server that speaks first is heard before the client says a word, as IMAP has it", async () => {
    const words = ["s_client", "-connect", `127.0.0.1:${port}`, "-servername", "s1.test", "-quiet", "-ign_eof"];
    const client = spawn("openssl", words, { stdio: ["pipe", "pipe", "ignore"] });
    let heard = "";
    client.stdout.on("data", (chunk: Buffer) => (heard += chunk.toString()));
    await expect.poll(() => heard).toBe("s1 ready\n");
    client.stdin.write("a1 CAPABILITY\n");
    await expect.poll(() => heard).toBe("s1 ready\na1 CAPABILITY\n");
    client.kill();
    await once(client, "exit");
  });

  test("a named server in maintenance is refused, not replaced; while draining it is still reached by name", async () => {
    const s1 = servers[0] as TlsTestServer;
    const state = (value: string): string =>
      `server: {name: farms/mail/servers/s1, address: "${s1.address}", state: SERVER_STATE_${value}}`;
    await instance.apply(state("MAINTENANCE"));
    expect(await openssl(port, "s1.test")).toContain(`SSL alert number ${alertCode.internal_error}`);
    await instance.apply(state("DRAIN"));
    expect(await subjectSeen(port, "s1.test")).toBe("s1");
    await instance.apply(state("READY"));
  });
});
