import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { shop } from "./shop-manifest.ts";
import { VerbRig } from "./verb-rig.ts";

let rig: VerbRig;
beforeEach(async () => {
  rig = await VerbRig.start();
});
afterEach(async () => {
  await rig.close();
});

describe("apply", () => {
  it("shows the plan, commits it once, and does nothing the second time", async () => {
    const plan = [
      "+ farms/web",
      "+ farms/web/servers/a",
      "+ farms/web/servers/b",
      "+ listeners/edge",
      "+ listeners/edge/routes/shop",
      "+ listeners/edge/routes/nobody",
    ].join("\n");
    expect(await rig.done("apply -f - --dry-run", { stdin: shop })).toBe(
      `${plan}\ndry run: 6 to create; still at revision 0\n`,
    );
    expect(await rig.done("apply -f -", { stdin: shop })).toBe(`${plan}\n6 created; now at revision 1\n`);
    expect(await rig.done("apply -f -", { stdin: shop })).toBe("nothing to change, 6 unchanged; still at revision 1\n");
  });

  it("names the fields that change as files have them", async () => {
    await rig.done("apply -f -", { stdin: shop });
    const changed = shop.replace("3s", "4s").replace("*.shop", "*.store");
    expect(await rig.done("apply -f -", { stdin: changed })).toBe(
      "~ farms/web   (connectTimeout)\n~ listeners/edge/routes/shop   (match.serverNames)\n" +
        "2 changed, 4 unchanged; now at revision 2\n",
    );
  });

  it("prunes what the files do not have, when told to", async () => {
    await rig.done("apply -f -", { stdin: shop });
    const rest = "farm: {name: farms/web, connectTimeout: 3s}";
    expect(await rig.done("apply -f -", { stdin: rest })).toBe("nothing to change, 1 unchanged; still at revision 1\n");
    expect(await rig.done("apply -q --prune -f -", { stdin: rest })).toBe(
      "5 deleted, 1 unchanged; now at revision 2\n",
    );
  });

  it("says where in the files the control plane found fault, and changes nothing", async () => {
    const stdin = shop.replace("*.shop.example.com", "bad name").replace("10.0.0.1:443", "localhost");
    const { code, stdout, stderr } = await rig.run("apply -f -", { stdin });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr.split("\n")).toEqual([
      expect.stringMatching(/^<stdin>:4:48: server\.address: "localhost" is no /),
      expect.stringMatching(/^<stdin>:11:45: route\.match\.serverNames\[1\]: "bad name" is no server name/),
      "switchyard: refused: 2 errors; nothing was changed (INVALID_FIELD)",
      "",
    ]);
    expect(await rig.done("get all")).toBe("");
  });

  it("reads files and directories, and keeps who and why", async () => {
    const folder = mkdtempSync(join(tmpdir(), "switchyard-manifest-"));
    try {
      writeFileSync(join(folder, "b.yml"), "farm: {name: farms/b}");
      writeFileSync(join(folder, "a.json"), '{"farm": {"name": "farms/a"}}');
      writeFileSync(join(folder, ".hidden.yaml"), "no: manifest");
      writeFileSync(join(folder, "notes.txt"), "no manifest");
      writeFileSync(join(folder, "c"), "farm: {name: farms/c}");
      const words = ["apply", "-f", folder, join(folder, "c"), "--author", "bob", "--reason", "why not"];
      const { stdout } = await rig.run(words);
      expect(stdout).toBe("+ farms/a\n+ farms/b\n+ farms/c\n3 created; now at revision 1\n");
      expect(await rig.done("history")).toBe(
        "REVISION   TIME                   AUTHOR   EVENTS   REASON\n1          2026-11-22 12:51:36Z   bob      3        why not\n",
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("does nothing twice under one request id", async () => {
    const line = "apply -q -f - --request-id once";
    expect(await rig.done(line, { stdin: shop })).toBe("6 created; now at revision 1\n");
    await rig.done("delete listeners/edge/routes/shop");
    expect(await rig.done(line, { stdin: shop })).toMatch(/ revision 1\n$/);
    expect(await rig.done("get routes")).not.toContain("routes/shop");
  });
});

describe("a farm's policy in a file", () => {
  const cases: readonly (readonly [what: string, yaml: string, ...lines: RegExp[]])[] = [
    [
      "what the control plane finds, each at its place",
      "farm:\n  name: farms/web\n  healthCheck:\n    https:\n      expectedStatuses: ['200', 2xx]\n" +
        "      tls: {alpnProtocols: [h2]}\n    interval: 0.05s\n  proxyProtocol: {version: PROXY_VERSION_1, tlvs: [PROXY_TLV_ALPN]}",
      /^<stdin>:7:15: farm\.healthCheck\.interval: 0\.05 s is not between/,
      /^<stdin>:6:29: farm\.healthCheck\.https\.tls\.alpnProtocols\[0\]: the check speaks HTTP\/1\.1 only/,
      /^<stdin>:5:33: farm\.healthCheck\.https\.expectedStatuses\[1\]: "2xx" is no status/,
      /^<stdin>:8:45: farm\.proxyProtocol\.tlvs: version 1 has no place/,
    ],
    [
      "two kinds of check",
      "farm: {name: farms/web, healthCheck: {tcp: {}, tls: {}}}",
      /^<stdin>:1:48: farm\.healthCheck\.tls: only one of tcp, tls, https may be set; tcp is, at /,
    ],
    [
      "a kind that nothing is said of",
      "farm: {name: farms/web, healthCheck: {tcp: }}",
      /^<stdin>:1:44: farm\.healthCheck\.tcp: has no value; write \{\} for an empty one/,
    ],
    [
      "no kind",
      "farm: {name: farms/web, healthCheck: {rise: 2}}",
      /^<stdin>:1:25: farm\.healthCheck: one of tcp, tls or https is needed/,
    ],
    [
      "a word that is nearly right, and a value that is none",
      "farm: {name: farms/web, affinity: {fallbak: AFFINITY_FALLBACK_SOURCE, drain: honour}}",
      /^<stdin>:1:36: farm\.affinity\.fallbak: unknown field; did you mean fallback\?/,
      /^<stdin>:1:78: farm\.affinity\.drain: must be one of DRAIN_AFFINITY_HONOUR, DRAIN_AFFINITY_LEAVE, not the text "honour"/,
    ],
    [
      "a status that YAML takes for a number",
      "farm: {name: farms/web, healthCheck: {https: {expectedStatuses: [200]}}}",
      /^<stdin>:1:66: farm\.healthCheck\.https\.expectedStatuses\[0\]: must be text, not 200; put it between quotes/,
    ],
  ];
  it.each(cases)("is refused for %s", async (_what, stdin, ...lines) => {
    const { code, stderr } = await rig.run("apply -f -", { stdin: String(stdin) });
    expect(code).not.toBe(0);
    const faults = stderr.split("\n").filter((line) => line.startsWith("<stdin>"));
    expect(faults).toEqual(lines.map((line) => expect.stringMatching(line) as string));
  });
});

describe("get", () => {
  it.each(["yaml", "json"])("all as %s, applied again, changes nothing", async (form) => {
    await rig.done("apply -f -", { stdin: shop });
    const stdin = await rig.done(`get all -o ${form}`);
    expect(await rig.done("apply -f -", { stdin })).toBe("nothing to change, 6 unchanged; still at revision 1\n");
    expect(await rig.done("apply -f - --prune", { stdin })).toBe(
      "nothing to change, 6 unchanged; still at revision 1\n",
    );
  });

  it("shows defaults filled in, durations and enums as files have them, and no etag unless asked", async () => {
    await rig.done("apply -f -", { stdin: shop });
    expect(parse(await rig.done("get farm web -o yaml"))).toEqual({
      farm: {
        name: "farms/web",
        balance: "BALANCE_ROUND_ROBIN",
        connectTimeout: "3s",
        connectAttemptsMax: 3,
        serverIdleTimeout: "600s",
        halfCloseTimeout: "30s",
        affinity: {
          tlsSessions: "TLS_SESSIONS_FOLLOW",
          fallback: "AFFINITY_FALLBACK_NONE",
          sessionIdsMax: 30_000,
          sessionIdLifetime: "1800s",
          ticketNameLifetime: "604800s",
          drain: "DRAIN_AFFINITY_HONOUR",
          sourcePrefixV4: 32,
          sourcePrefixV6: 56,
        },
        passiveHealth: { failures: 1, ejectionMin: "1s", ejectionMax: "30s", ejectedMax: 50 },
        slowStart: "0s",
        onMarkedDown: "ON_MARKED_DOWN_KEEP",
        onServerRemoved: "ON_SERVER_REMOVED_KEEP",
        panicThreshold: 1,
        queue: { lengthMax: 1000, timeout: "5s" },
      },
    });
    expect(parse(await rig.done("get farm web -o yaml --etag"))).toHaveProperty("farm.etag");
  });

  it("puts what is inside of a resource after it", async () => {
    await rig.done("apply -f -", { stdin: `${shop}\n- farm: {name: farms/web-2}\n- farm: {name: farms/a}` });
    const documents = parseAllDocuments(await rig.done("get all -o yaml"));
    const names = documents.flatMap((document) => Object.values(document.toJS() as object) as { name: string }[]);
    expect(names.map(({ name }) => name)).toEqual([
      "farms/a",
      "farms/web",
      "farms/web/servers/a",
      "farms/web/servers/b",
      "farms/web-2",
      "listeners/edge",
      "listeners/edge/routes/nobody",
      "listeners/edge/routes/shop",
    ]);
  });

  it("prints tables with a row for each", async () => {
    await rig.done("apply -f -", { stdin: shop });
    expect(await rig.done("get servers --parent web")).toBe(
      "NAME                  ADDRESS        WEIGHT   STATE   BACKUP   REGION   MAX\n" +
        "farms/web/servers/a   10.0.0.1:443   1        ready   -        -        -\n" +
        "farms/web/servers/b   10.0.0.2:443   3        ready   -        eu       -\n",
    );
    expect(await rig.done("get routes")).toBe(
      "NAME                           SERVER NAMES                          ALPN   SOURCES   ACTION\n" +
        "listeners/edge/routes/nobody   (no name)                             -      -         reject access_denied\n" +
        "listeners/edge/routes/shop     shop.example.com,*.shop.example.com   h2     -         farms/web\n",
    );
    expect(await rig.done("get farms farms/web")).toBe(
      "NAME        BALANCE       AFFINITY   CHECK   CONNECT   ATTEMPTS   IDLE   HALF-CLOSE   PROXY\n" +
        "farms/web   round_robin   tls        -       3s        3          10m    30s          -\n",
    );
    expect(await rig.done("get all")).toMatch(
      /^NAME +ADDRESSES[^]*\n\nNAME +SERVER NAMES[^]*\n\nNAME +BALANCE[^]*\n\nNAME +ADDRESS /,
    );
  });

  it("follows the pages to the last", async () => {
    const farms = Array.from({ length: 2345 }, (_, index) => `- farm: {name: farms/f${index}}`).join("\n");
    await rig.done("apply -q -f -", { stdin: farms });
    expect((await rig.done("get farms")).split("\n")).toHaveLength(2345 + 2);
  });

  it("says what is not there, with code 1", async () => {
    expect(await rig.run("get farms/nope")).toEqual({
      code: 1,
      stdout: "",
      stderr: "switchyard: refused: there is no farms/nope (NOT_FOUND)\n",
    });
  });
});

describe("delete", () => {
  it("says why it may not, and with --force takes what is inside along", async () => {
    await rig.done("apply -f -", { stdin: shop });
    await rig.done("delete routes edge/shop");
    const { code, stderr } = await rig.run("delete farm web");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^switchyard: refused: farms\/web still has farms\/web\/servers\/a/);
    expect(await rig.done("delete farm web --force")).toBe("deleted farms/web; now at revision 3\n");
    expect((await rig.run("get servers")).stderr).toBe("no servers\n");
  });

  it("stops at the first that is refused", async () => {
    await rig.done("apply -f -", { stdin: "- farm: {name: farms/a}\n- farm: {name: farms/c}" });
    const { code, stdout } = await rig.run("delete farms a b c");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "deleted farms/a; now at revision 2\n" });
    expect(await rig.done("get farms")).toContain("farms/c");
  });

  it("changes nothing in a dry run", async () => {
    await rig.done("apply -f -", { stdin: shop });
    expect(await rig.done("delete farms/web/servers/a --dry-run")).toBe(
      "dry run: farms/web/servers/a can be deleted; still at revision 1\n",
    );
    expect(await rig.done("get servers")).toContain("servers/a");
  });
});
