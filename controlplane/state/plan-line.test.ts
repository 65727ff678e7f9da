import { expect, test } from "vitest";
import { written } from "../../test/support/arbitrary-resource.ts";
import { lineOfChange, lineOfEvent } from "./plan-line.ts";

const before = written({ server: { name: "farms/web/servers/a", address: "10.0.0.1:443" } });
const after = written({ server: { name: "farms/web/servers/a", address: "10.0.0.2:443", backup: true } });
const { name } = before;

test.each([
  ["creation", { before: null, after }, { verb: "create", name, resource: after, fields: [] }],
  [
    "update, with the fields that differ",
    { before, after },
    { verb: "update", name, resource: after, fields: ["address", "backup"] },
  ],
  ["deletion", { before, after: null }, { verb: "delete", name, resource: null, fields: [] }],
])("a change is a line of %s", (_what, change, line) => {
  expect(lineOfChange(change)).toEqual(line);
});

test.each([
  ["created", { type: "created" as const, resource: after }, { verb: "create", name, resource: after, fields: [] }],
  ["updated", { type: "updated" as const, resource: after }, { verb: "update", name, resource: after, fields: [] }],
  ["deleted", { type: "deleted" as const, name }, { verb: "delete", name, resource: null, fields: [] }],
])("so is the event %s, which does not know what was before", (_what, event, line) => {
  expect(lineOfEvent(event)).toEqual(line);
});
