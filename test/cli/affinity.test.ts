import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DeepPartial, NodeReport } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { NodeSession } from "../controlplane/node-session.ts";
import { VerbRig } from "./verb-rig.ts";

let rig: VerbRig;
let sessions: NodeSession[];
beforeEach(async () => {
  rig = await VerbRig.start();
  sessions = [];
});
afterEach(async () => {
  for (const session of sessions) session.cancel();
  await rig.close();
});

async function connect(id: string): Promise<NodeSession> {
  const session = new NodeSession(rig.address);
  sessions.push(session);
  return session.hello(id, { region: "eu" }).welcomed();
}

const report = (finding: string, ticketNames: bigint, advice: string): DeepPartial<NodeReport> => ({
  digest: new Uint8Array(32),
  farmAffinity: [
    {
      farm: "farms/web",
      finding,
      sentence: `${finding}: ${ticketNames} names\u202E of ticket keys`,
      advice,
      ticketNames,
    },
  ],
});

/** Reports are not answered: asks until the answer has it. */
async function printed(line: string, text: string): Promise<string> {
  for (;;) {
    const output = await rig.done(line);
    if (output.includes(text)) return output;
  }
}

describe("affinity", () => {
  it("shows what became of sessions, each finding once with who found it, and what would help", async () => {
    await rig.done("apply -f -", {
      stdin:
        '- farm: {name: farms/web}\n- farm: {name: farms/api}\n- server: {name: farms/web/servers/a, address: "app.internal:443"}',
    });
    const nodes = [await connect("n1"), await connect("n2"), await connect("n3")];
    const resumptions = { offered: 200n, accepted: 150n, refused: 30n };
    const traffic = { connections: 1000n, resumptions };
    nodes[0]?.traffic({ servers: [{ server: "farms/web/servers/a", traffic }] });
    nodes[0]?.report(report("key_per_server", 3n, "nginx: ssl_session_ticket_key\nHAProxy: tls-ticket-keys"));
    nodes[1]?.report(report("key_per_server", 4n, "nginx: ssl_session_ticket_key\nHAProxy: tls-ticket-keys"));
    nodes[2]?.report(report("learning", 0n, ""));
    await printed("affinity", "learning");
    await printed("affinity", "4 names");
    expect(await printed("affinity", "1000")).toBe(
      "FARM        CONNECTIONS   OFFERED   ACCEPTED      REFUSED      FOUND\n" +
        "farms/api   0             0         -             -            -\n" +
        "farms/web   1000          200       150 (83.3%)   30 (16.7%)   key_per_server,learning\n" +
        "\n" +
        "farms/web: key_per_server: 4 names\\u202e of ticket keys (n1,n2)\n" +
        "  nginx: ssl_session_ticket_key\n" +
        "  HAProxy: tls-ticket-keys\n" +
        "farms/web: learning: 0 names\\u202e of ticket keys (n3)\n",
    );
    expect(JSON.parse(await rig.done("affinity web -o json"))).toMatchObject({
      farms: [
        {
          farm: "farms/web",
          servers: 1,
          traffic: { resumptions: { offered: "200", accepted: "150", refused: "30" } },
          affinity: [
            { affinity: { finding: "key_per_server", ticketNames: "4" }, nodes: ["nodes/n1", "nodes/n2"] },
            { affinity: { finding: "learning" }, nodes: ["nodes/n3"] },
          ],
        },
      ],
    });
  });

  it("of all farms names those that something would help, of one everything", async () => {
    await rig.done("apply -f -", { stdin: "farm: {name: farms/web}" });
    (await connect("n1")).report(report("shared_keys", 1n, ""));
    expect(await printed("affinity", "shared_keys")).not.toContain("\n\n");
    expect(await rig.done("affinity farms/web")).toContain("\n\nfarms/web: shared_keys");
  });

  it("says so where there is nothing, or nothing of that name", async () => {
    expect(await rig.run("affinity")).toEqual({ code: 0, stdout: "", stderr: "no farms\n" });
    expect(await rig.run("affinity nope")).toMatchObject({
      code: 1,
      stderr: 'switchyard: refused: there is no "farms/nope" (NOT_FOUND)\n',
    });
  });
});
