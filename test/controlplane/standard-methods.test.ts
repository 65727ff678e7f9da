import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { refusalText } from "./refusal-of.ts";
import { RunningControlPlane, wire } from "./running-control-plane.ts";

let running: RunningControlPlane;
beforeEach(async () => {
  running = await RunningControlPlane.start();
  const resources = [
    { farm: { name: "farms/web" } },
    { server: { name: "farms/web/servers/a", address: "10.0.0.1:443" } },
    { listener: { name: "listeners/edge", addresses: ["127.0.0.1:443"] } },
    {
      route: {
        name: "listeners/edge/routes/shop",
        match: { serverNames: ["shop.test"] },
        action: { farm: "farms/web" },
      },
    },
  ];
  await running.config.apply({ resources: resources.map(wire) });
});
afterEach(() => running.close());

interface Message {
  readonly name: string;
  readonly etag: string;
}
type Answer = Readonly<Record<string, unknown>> & { readonly revision: bigint };
type Calls = Readonly<Record<string, (request: object) => Promise<Answer>>>;

/** Each kind with a name that is free, one of another kind, what is needed to create it, and one field to change. */
const kinds = [
  {
    kind: "Listener",
    free: "listeners/other",
    stored: "listeners/edge",
    others: "farms/web",
    needs: { addresses: ["127.0.0.1:444"] },
    change: { addresses: ["127.0.0.1:445"] },
    missing: "listeners/none",
    inside: "",
  },
  {
    kind: "Route",
    free: "listeners/edge/routes/other",
    stored: "listeners/edge/routes/shop",
    others: "listeners/edge",
    needs: {
      match: { serverNames: ["other.test"] },
      action: { kind: { $case: "farm", value: "farms/web" } },
    },
    change: {
      match: { serverNames: ["more.test"] },
      action: { kind: { $case: "farm", value: "farms/web" } },
    },
    missing: "listeners/edge/routes/none",
    inside: "listeners/edge",
  },
  {
    kind: "Farm",
    free: "farms/other",
    stored: "farms/web",
    others: "farms/web/servers/a",
    needs: {},
    change: { connectAttemptsMax: 7 },
    missing: "farms/none",
    inside: "",
  },
  {
    kind: "Server",
    free: "farms/web/servers/other",
    stored: "farms/web/servers/a",
    others: "farms/web",
    needs: { address: "10.0.0.2:443" },
    change: { address: "10.0.0.3:443" },
    missing: "farms/web/servers/none",
    inside: "farms/web",
  },
] as const;

describe.each(kinds)("the standard methods of a $kind", (each) => {
  const { kind, free, stored, others, needs, change, missing, inside } = each;
  const field = kind.toLowerCase();
  const call = (verb: string, request: object): Promise<Answer> => {
    const method = (running.config as unknown as Calls)[`${verb}${kind}${verb === "list" ? "s" : ""}`];
    if (method === undefined) throw new Error(`no method ${verb}${kind}`);
    return method(request);
  };
  const get = async (name: string): Promise<Message> => (await call("get", { name }))[field] as Message;

  test("create, get, list, update, delete", async () => {
    const created = await call("create", { [field]: { name: free, ...needs } });
    expect(created.revision).toBe(2n);
    expect(created[field]).toEqual(await get(free));
    expect(created[field]).toMatchObject({ name: free, ...needs, etag: expect.stringMatching(/^[0-9a-f]{16}$/) });

    const listed = await call("list", inside === "" ? {} : { parent: inside });
    expect((listed[`${field}s`] as Message[]).map(({ name }) => name).sort()).toEqual([stored, free].sort());
    expect(listed.revision).toBe(2n);

    const before = created[field] as Message;
    const updated = await call("update", { [field]: { name: free, ...needs, ...change } });
    expect(updated.revision).toBe(3n);
    expect(updated[field]).toEqual(await get(free));
    expect(updated[field]).toMatchObject(change);
    expect((updated[field] as Message).etag).not.toBe(before.etag);

    expect(await call("delete", { name: free })).toEqual({ revision: 4n });
    expect(await refusalText(call("get", { name: free }))).toBe("NOT_FOUND NOT_FOUND | name: UNKNOWN_REFERENCE");
  });

  test("an update that changes nothing makes no commit", async () => {
    const message = await get(stored);
    const answer = await call("update", { [field]: message });
    expect(answer).toEqual({ [field]: message, revision: 1n });
    expect(running.plane.position.revision).toBe(1);
  });

  test("an etag must be the stored one, in update and delete", async () => {
    const { etag } = await get(stored);
    const stale = { [field]: { name: stored, ...needs, ...change, etag: "0123456789abcdef" } };
    expect(await refusalText(call("update", stale))).toBe(`ABORTED ETAG_MISMATCH | ${field}.etag: CONFLICT`);
    expect(await refusalText(call("delete", { name: stored, etag: "0123456789abcdef" }))).toBe(
      "ABORTED ETAG_MISMATCH | etag: CONFLICT",
    );
    expect(running.plane.position.revision).toBe(1);
    const updated = await call("update", { [field]: { name: stored, ...needs, ...change, etag } });
    expect(updated.revision).toBe(2n);
  });

  test("what is not there, is there already, or is misnamed is refused by its field", async () => {
    const cases: readonly (readonly [Promise<unknown>, string])[] = [
      [call("get", { name: missing }), "NOT_FOUND NOT_FOUND | name: UNKNOWN_REFERENCE"],
      [call("get", { name: others }), "INVALID_ARGUMENT INVALID_FIELD | name: MALFORMED"],
      [call("get", {}), "INVALID_ARGUMENT INVALID_FIELD | name: MALFORMED"],
      [call("delete", { name: missing }), "NOT_FOUND NOT_FOUND | name: UNKNOWN_REFERENCE"],
      [call("delete", { name: others }), "INVALID_ARGUMENT INVALID_FIELD | name: MALFORMED"],
      [
        call("update", { [field]: { name: missing, ...needs } }),
        `NOT_FOUND NOT_FOUND | ${field}.name: UNKNOWN_REFERENCE`,
      ],
      [call("update", {}), `INVALID_ARGUMENT INVALID_FIELD | ${field}: REQUIRED`],
      [
        call("create", { [field]: { name: stored, ...needs } }),
        `ALREADY_EXISTS ALREADY_EXISTS | ${field}.name: CONFLICT`,
      ],
      [
        call("create", { [field]: { name: others, ...needs } }),
        `INVALID_ARGUMENT INVALID_FIELD | ${field}.name: MALFORMED`,
      ],
      [call("create", {}), `INVALID_ARGUMENT INVALID_FIELD | ${field}: REQUIRED`],
    ];
    for (const [refused, expected] of cases) expect(await refusalText(refused)).toBe(expected);
    expect(running.plane.position.revision).toBe(1);
  });

  test("validate_only answers, or fails, as the live call would, and changes nothing", async () => {
    const write = { validateOnly: true };
    const created = await call("create", { [field]: { name: free, ...needs }, write });
    expect(created.revision).toBe(1n);
    expect(created[field]).toMatchObject({ name: free, ...needs });
    const updated = await call("update", { [field]: { name: stored, ...needs, ...change }, write });
    expect(updated[field]).toMatchObject(change);
    const requests: readonly (readonly [string, object])[] = [
      ["create", { [field]: { name: stored, ...needs } }],
      ["create", { [field]: { name: others, ...needs } }],
      ["update", { [field]: { name: missing, ...needs } }],
      ["update", { [field]: { name: stored, ...needs, etag: "0" } }],
      ["delete", { name: missing }],
      ["delete", { name: stored, etag: "0" }],
    ];
    for (const [verb, request] of requests) {
      const dry = await refusalText(call(verb, { ...request, write }));
      expect(await refusalText(call(verb, request))).toBe(dry);
    }
    expect(running.plane.position.revision).toBe(1);
    expect((await running.log.read(0, 10)).length).toBe(1);
  });
});

describe("what still has something in it, or is named", () => {
  test("is not deleted, unless by force what is inside goes with it", async () => {
    await running.config.createServer({ server: { name: "farms/web/servers/b", address: "10.0.0.2:443" } });
    expect(await refusalText(running.config.deleteFarm({ name: "farms/web" }))).toBe(
      "FAILED_PRECONDITION CONFIGURATION_CONFLICT | name: IN_USE | name: IN_USE",
    );
    // The route names the farm: force takes what is inside, not what points at it.
    expect(await refusalText(running.config.deleteFarm({ name: "farms/web", force: true }))).toBe(
      "FAILED_PRECONDITION CONFIGURATION_CONFLICT | name: IN_USE",
    );
    expect(await refusalText(running.config.deleteListener({ name: "listeners/edge" }))).toBe(
      "FAILED_PRECONDITION CONFIGURATION_CONFLICT | name: IN_USE",
    );
    expect(await running.config.deleteListener({ name: "listeners/edge", force: true })).toEqual({ revision: 3n });
    expect(await running.config.deleteFarm({ name: "farms/web", force: true })).toEqual({ revision: 4n });
    expect(running.plane.stats().resources).toBe(0);
  });
});
