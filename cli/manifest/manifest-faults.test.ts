import { describe, expect, it } from "vitest";
import { ManifestSource } from "./manifest-source.ts";
import { readManifest } from "./manifest.ts";

const fileNames = ["a.yaml", "b.yaml"];

function faultsOf(...texts: readonly string[]): readonly string[] {
  const manifest = readManifest(texts.map((text, index) => new ManifestSource(fileNames[index] ?? "", text)));
  return "faults" in manifest ? manifest.faults : [];
}

const farm = (fields: string): string => `farm: {name: farms/web, ${fields}}\n`;

describe("a file with something wrong in it is refused with its place", () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    [
      "an unknown field, with what it may have been meant to be",
      farm("conectTimeout: 3s"),
      ["a.yaml:1:25: farm.conectTimeout: unknown field; did you mean connectTimeout?"],
    ],
    [
      "an unknown field that is like none",
      "server: {colour: red}",
      [
        "a.yaml:1:10: server.colour: unknown field; known here are name, address, weight, region, backup, state, connectionsMax, checkAddress, etag",
      ],
    ],
    [
      "an unknown kind",
      "frontend: {}",
      ["a.yaml:1:1: frontend: unknown field; known here are listener, route, farm, server, rolloutPolicy"],
    ],
    ["no kind", "{}", ["a.yaml:1:1: one of listener, route, farm, server, rolloutPolicy is needed"]],
    [
      "two kinds",
      "farm: {}\nserver: {}",
      [
        "a.yaml:2:1: server: only one of listener, route, farm, server, rolloutPolicy may be set; farm is, at a.yaml:1:1",
      ],
    ],
    [
      "two of a oneof",
      "route: {action: {farm: f, reject: {}}}",
      ["a.yaml:1:27: route.action.reject: only one of farm, server, reject may be set; farm is, at a.yaml:1:18"],
    ],
    ["the same key twice", "farm: {name: a, name: b}", ["a.yaml:1:17: farm.name: already set at a.yaml:1:8"]],
    [
      "one field in both spellings",
      farm("connectTimeout: 1s, connect_timeout: 2s"),
      ["a.yaml:1:45: farm.connect_timeout: already set at a.yaml:1:25"],
    ],
    [
      "a number for text",
      "server: {region: 7}",
      ["a.yaml:1:18: server.region: must be text, not 7; put it between quotes"],
    ],
    [
      "text for a list",
      "route: {match: {serverNames: a.test}}",
      ['a.yaml:1:30: route.match.serverNames: must be a list, not the text "a.test"'],
    ],
    [
      "a map in a list of text",
      "listener: {addresses: [{a: 1}]}",
      ["a.yaml:1:24: listener.addresses[0]: must be text, not a map"],
    ],
    [
      "text for a message",
      "route: {match: any}",
      ['a.yaml:1:16: route.match: must be a map of fields, not the text "any"'],
    ],
    [
      "a negative count",
      farm("connectAttemptsMax: -1"),
      ["a.yaml:1:45: farm.connectAttemptsMax: must be a whole number from 0 to 4294967295, not -1"],
    ],
    [
      "a count above 32 bits",
      farm("connectAttemptsMax: 4294967296"),
      ["a.yaml:1:45: farm.connectAttemptsMax: must be a whole number from 0 to 4294967295, not 4294967296"],
    ],
    [
      "a fraction of a count",
      "server: {weight: 1.5}",
      ["a.yaml:1:18: server.weight: must be a whole number from 0 to 4294967295, not 1.5"],
    ],
    [
      "a word for a switch",
      "server: {backup: yes}",
      ['a.yaml:1:18: server.backup: must be true or false, not the text "yes"'],
    ],
    [
      "an unknown enum name",
      "server: {state: READY}",
      [
        'a.yaml:1:17: server.state: must be one of SERVER_STATE_READY, SERVER_STATE_DRAIN, SERVER_STATE_MAINTENANCE, not the text "READY"',
      ],
    ],
    [
      "an enum number without a name",
      "server: {state: 9}",
      [
        "a.yaml:1:17: server.state: must be one of SERVER_STATE_READY, SERVER_STATE_DRAIN, SERVER_STATE_MAINTENANCE, not 9",
      ],
    ],
    [
      "a duration without a unit",
      farm("connectTimeout: 5"),
      ["a.yaml:1:41: farm.connectTimeout: must be a duration in seconds, such as 5s or 0.25s, not 5"],
    ],
    [
      "a duration in another unit",
      farm("connectTimeout: 5ms"),
      ['a.yaml:1:41: farm.connectTimeout: must be a duration in seconds, such as 5s or 0.25s, not the text "5ms"'],
    ],
    [
      "a duration with more behind it",
      farm("connectTimeout: 5seconds"),
      ['a.yaml:1:41: farm.connectTimeout: must be a duration in seconds, such as 5s or 0.25s, not the text "5seconds"'],
    ],
    [
      "a duration finer than a nanosecond",
      farm("connectTimeout: 0.0000000001s"),
      [
        'a.yaml:1:41: farm.connectTimeout: must be a duration in seconds, such as 5s or 0.25s, not the text "0.0000000001s"',
      ],
    ],
    [
      "a duration of more than 10,000 years",
      farm("connectTimeout: 315576000001s"),
      [
        'a.yaml:1:41: farm.connectTimeout: must be a duration in seconds, such as 5s or 0.25s, not the text "315576000001s"',
      ],
    ],
    ["a field with nothing behind it", "farm:\n  name:\n", ["a.yaml:2:8: farm.name: has no value"]],
    [
      "a message with nothing behind it",
      "route:\n  action:\n    reject:\n",
      ["a.yaml:3:12: route.action.reject: has no value; write {} for an empty one"],
    ],
    ["null in a list", "listener: {addresses: [null]}", ["a.yaml:1:24: listener.addresses[0]: has no value"]],
    [
      "half a character",
      'server: {region: "\\ud800"}',
      ['a.yaml:1:18: server.region: must be text, not the text "\\ud800"'],
    ],
    ["a key that is no text", "{[a]: b}", ["a.yaml:1:2: a field's name must be text"]],
    ["an unknown alias", "farm: *web", ["a.yaml:1:7: unknown alias *web"]],
    [
      "an alias inside of its anchor",
      "route: &r {match: *r}",
      ["a.yaml:1:19: alias *r stands inside of its own anchor"],
    ],
    ["an unknown tag", "farm: {name: !secret x}", ["a.yaml:1:14: Unresolved tag: !secret"]],
    [
      "something beside resources",
      "resources: []\nversion: 1\n",
      ["a.yaml:2:1: version: nothing may stand beside resources"],
    ],
    ["resources that are no list", "resources: {farm: {}}", ["a.yaml:1:12: resources: must be a list of resources"]],
    ["a word for a resource", "- hello", ['a.yaml:1:3: must be a map of fields, not the text "hello"']],
    ["a document that is one word", "hello", ['a.yaml:1:1: must be a map of fields, not the text "hello"']],
    [
      "the same name twice",
      "farm: {name: farms/a}\n---\nfarm: {name: farms/a}",
      ["a.yaml:3:14: farm.name: farms/a is already at a.yaml:1:1"],
    ],
    [
      "an open bracket",
      "farm: [",
      ["a.yaml:1:8: Flow sequence in block collection must be sufficiently indented and end with a ]"],
    ],
    ["a tab for indentation", "farm:\n\tname: x", ["a.yaml:2:1: Tabs are not allowed as indentation"]],
  ];
  it.each(cases)("%s", (_, text, faults) => {
    expect(faultsOf(text)).toEqual(faults);
  });

  it("every fault of every file, in order, and not only the first", () => {
    expect(faultsOf("farm: {nam: x, balance: 1.5}\n---\n- {}\n- farm: *x\n", "server: {weight: a}")).toEqual([
      "a.yaml:1:8: farm.nam: unknown field; did you mean name?",
      expect.stringMatching(/^a\.yaml:1:25: farm\.balance: must be one of BALANCE_ROUND_ROBIN, .*, not 1\.5$/),
      "a.yaml:3:3: one of listener, route, farm, server, rolloutPolicy is needed",
      "a.yaml:4:9: unknown alias *x",
      'b.yaml:1:18: server.weight: must be a whole number from 0 to 4294967295, not the text "a"',
    ]);
  });

  it("a name that another file has too, with the other's place", () => {
    expect(faultsOf("\n\nserver: {name: farms/a/servers/x}", "- server:\n    name: farms/a/servers/x")).toEqual([
      "b.yaml:2:11: server.name: farms/a/servers/x is already at a.yaml:3:1",
    ]);
  });

  it("documents that are right do not hide the faults of one that is no YAML", () => {
    expect(faultsOf("farm: {nam: x}\n---\na: b: c\n---\nserver: {weight: a}")).toEqual([
      "a.yaml:1:8: farm.nam: unknown field; did you mean name?",
      "a.yaml:3:4: Nested mappings are not allowed in compact mappings",
      'a.yaml:5:18: server.weight: must be a whole number from 0 to 4294967295, not the text "a"',
    ]);
  });

  it("JSON has the same places as YAML", () => {
    expect(faultsOf('{"resources": [\n  {"farm": {"name": 3}}]}')).toEqual([
      "a.yaml:2:21: farm.name: must be text, not 3; put it between quotes",
    ]);
  });
});

describe("a file that stands for more than it holds is refused before it is expanded", () => {
  it("aliases of aliases (the billion laughs)", () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let level = 1; level < 10; level += 1)
      lines.push(`a${level}: &a${level} [${new Array(10).fill(`*a${level - 1}`).join(", ")}]`);
    const bomb = /^a\.yaml:5:\d+: the aliases of this file stand for more than 100000 nodes$/;
    expect(faultsOf(lines.join("\n"))).toContainEqual(expect.stringMatching(bomb));
  });

  it("many aliases of one large list", () => {
    const names = Array.from({ length: 1000 }, (_, index) => `h${index}.test`).join(", ");
    const routes = Array.from({ length: 200 }, () => "- route: {match: {serverNames: *n}}").join("\n");
    const faults = faultsOf(`- route: {match: {serverNames: &n [${names}]}}\n${routes}`);
    expect(faults[0]).toBe("a.yaml:101:32: the aliases of this file stand for more than 100000 nodes");
  });

  it.each([
    ["[", "]"],
    ["{a: ", "}"],
  ])("%s nested ten thousand deep", (open, close) => {
    const faults = faultsOf(open.repeat(10_000) + close.repeat(10_000));
    expect(faults.some((fault) => fault.endsWith("nested deeper than 64 levels"))).toBe(true);
  });
});
