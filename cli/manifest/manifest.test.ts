import { describe, expect, it } from "vitest";
import { Alert, ServerState } from "../../proto/gen/switchyard/config/v1/resources.ts";
import type { Resource } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { ManifestSource } from "./manifest-source.ts";
import { readManifest } from "./manifest.ts";
import type { Manifest } from "./manifest.ts";

const fileNames = ["a.yaml", "b.yaml"];

function readAll(...texts: readonly string[]): Manifest {
  const manifest = readManifest(texts.map((text, index) => new ManifestSource(fileNames[index] ?? "", text)));
  if ("faults" in manifest) throw new Error(manifest.faults.join("\n"));
  return manifest;
}

describe("what a file may look like", () => {
  const names = (manifest: Manifest): readonly string[] => manifest.resources.map(({ kind }) => kind?.value.name ?? "");
  const forms: readonly (readonly [string, string])[] = [
    ["a document for each resource", "farm: {name: farms/a}\n---\nfarm: {name: farms/b}\n"],
    ["a list", "- farm: {name: farms/a}\n- farm: {name: farms/b}\n"],
    ["resources with a list", "resources:\n- farm: {name: farms/a}\n- farm: {name: farms/b}\n"],
    ["all of them", "farm: {name: farms/a}\n---\n# nothing here\n---\nresources: [farm: {name: farms/b}]\n...\n"],
    ["JSON", '{"resources":[{"farm":{"name":"farms/a"}},{"farm":{"name":"farms/b"}}]}'],
    ["Windows line ends", "- farm:\r\n    name: farms/a\r\n- farm:\r\n    name: farms/b\r\n"],
  ];
  it.each(forms)("%s", (_, text) => {
    expect(names(readAll(text))).toEqual(["farms/a", "farms/b"]);
  });

  it.each(["", "\n\n", "# later\n", "---\n---\n", "[]", "resources: []"])(
    "%j has no resources and no fault",
    (text) => {
      expect(readAll(text).resources).toEqual([]);
    },
  );

  it("every type of field, in either spelling, to the exact value", () => {
    const [listener, route, server] = readAll(`
listener:
  name: listeners/edge
  addresses: ["127.0.0.1:8443", &any "[::]:443"]
  hello_bytes_max: 0x4000
  helloDeadline: 0.000000001s
  defaultAction: {reject: {alert: ALERT_UNRECOGNIZED_NAME}}
  nonTlsFarm: null
---
route: {name: listeners/edge/routes/r, match: {noServerName: true}, action: {farm: "farms/web"}}
---
server: {name: farms/web/servers/s, weight: "0", state: 2}
`).resources.map(({ kind }) => kind?.value) as [never, never, never];
    expect(listener).toMatchObject({
      addresses: ["127.0.0.1:8443", "[::]:443"],
      helloBytesMax: 16_384,
      helloDeadline: { seconds: 0n, nanos: 1 },
      clientIdleTimeout: undefined,
      defaultAction: { kind: { $case: "reject", value: { alert: Alert.ALERT_UNRECOGNIZED_NAME } } },
      nonTlsFarm: "",
    });
    expect(route).toMatchObject({
      match: { noServerName: true },
      action: { kind: { $case: "farm", value: "farms/web" } },
    });
    expect(server).toMatchObject({ weight: 0, state: ServerState.SERVER_STATE_DRAIN });
  });

  it("aliases stand for what was anchored last under their name", () => {
    const { resources } = readAll(
      "- farm: {name: farms/a, connectTimeout: &t 1s}\n- farm: {name: farms/b, connectTimeout: *t}\n" +
        "- farm: {name: farms/c, connectTimeout: &t 2s}\n- farm: {name: farms/d, connectTimeout: *t}\n",
    );
    const seconds = resources.map(({ kind }: Resource) => kind?.$case === "farm" && kind.value.connectTimeout?.seconds);
    expect(seconds).toEqual([1n, 1n, 2n, 2n]);
  });
});

describe("a field that the server names is found in the files", () => {
  const manifest = readAll(
    "farm: {name: farms/web}\n",
    "- server: {name: farms/web/servers/a}\n- route:\n    name: x\n    match:\n      serverNames:\n      - a.test\n      - b.test\n",
  );
  const cases: readonly (readonly [string, string, string])[] = [
    ["resources[2].route.match.server_names[1]", "b.yaml:7:9", "route.match.serverNames[1]"],
    ["resources[2].route.match.server_names", "b.yaml:5:7", "route.match.serverNames"],
    ["resources[2].route.match.source_networks[0]", "b.yaml:4:5", "route.match.source_networks[0]"],
    ["resources[2].route.action", "b.yaml:2:3", "route.action"],
    ["resources[0].farm.name", "a.yaml:1:14", "farm.name"],
    ["resources[1]", "b.yaml:1:3", ""],
  ];
  it.each(cases)("%s", (requestPath, place, path) => {
    expect(manifest.locate(requestPath)).toEqual({ place, path });
  });
  it.each(["write.author", "resources[3].farm", "resources", "", "resources[x].farm"])(
    "%j is nowhere in them",
    (path) => {
      expect(manifest.locate(path)).toBeUndefined();
    },
  );
});
