import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { refusalText } from "./refusal-of.ts";
import { RunningControlPlane, wire } from "./running-control-plane.ts";

let running: RunningControlPlane;
beforeEach(async () => {
  running = await RunningControlPlane.start();
});
afterEach(() => running.close());

const farmName = (index: number): string => `farms/f${String(index).padStart(4, "0")}`;
const farms = (count: number): object[] =>
  Array.from({ length: count }, (_, index) => ({ farm: { name: farmName(index) } }));
const apply = (resources: readonly object[]) => running.config.apply({ resources: resources.map(wire) });

/** All pages of farms; `between` runs after each. */
async function allFarms(pageSize: number, between: () => Promise<unknown> = async () => undefined) {
  const pages: { names: string[]; revision: bigint }[] = [];
  let pageToken = "";
  do {
    const page = await running.config.listFarms({ pageSize, pageToken });
    pages.push({ names: page.farms.map(({ name }) => name), revision: page.revision });
    pageToken = page.nextPageToken;
    await between();
  } while (pageToken !== "");
  return pages;
}

test("pages are in the order of names, whole, and end", async () => {
  await apply(farms(25).toReversed());
  const pages = await allFarms(10);
  expect(pages.map(({ names }) => names.length)).toEqual([10, 10, 5]);
  expect(pages.flatMap(({ names }) => names)).toEqual(farms(25).map((_, index) => farmName(index)));
  expect((await allFarms(25)).length).toBe(1);
});

test("an empty list is one empty page", async () => {
  expect(await allFarms(0)).toEqual([{ names: [], revision: 0n }]);
});

test.each([
  [0, 100],
  [1, 1],
  [1000, 1000],
  [1001, 1000],
  [2 ** 31 - 1, 1000],
])("a page size of %i gives %i", async (pageSize, expected) => {
  await apply(farms(1200));
  expect((await running.config.listFarms({ pageSize })).farms.length).toBe(expected);
});

describe("all pages show the revision of the first", () => {
  let changes = 0;
  const change = async (): Promise<void> => {
    changes += 1;
    // Two come and one goes: were the list made of what there is now, every place in it would be another.
    for (const id of [`a${changes}`, `b${changes}`]) await running.config.createFarm({ farm: { name: `farms/${id}` } });
    await running.config.deleteFarm({ name: farmName(changes) });
  };
  test("whatever is committed in between", async () => {
    await apply(farms(25));
    const pages = await allFarms(5, change);
    expect(pages.flatMap(({ names }) => names)).toEqual(farms(25).map((_, index) => farmName(index)));
    expect(new Set(pages.map(({ revision }) => revision))).toEqual(new Set([1n]));
  });
  test("after a restart too, when the list has to be made anew", async () => {
    await apply(farms(25));
    const pages = await allFarms(10, async () => {
      await change();
      await running.restart();
    });
    expect(pages.flatMap(({ names }) => names)).toEqual(farms(25).map((_, index) => farmName(index)));
    expect(new Set(pages.map(({ revision }) => revision))).toEqual(new Set([1n]));
  });
  test("even where the parent has gone", async () => {
    const servers = ["a", "b", "c"].map((id) => ({
      server: { name: `farms/f0000/servers/${id}`, address: "10.0.0.1:1" },
    }));
    await apply([...farms(1), ...servers]);
    const parent = "farms/f0000";
    const first = await running.config.listServers({ parent, pageSize: 2 });
    await running.config.deleteFarm({ name: parent, force: true });
    const second = await running.config.listServers({ parent, pageSize: 2, pageToken: first.nextPageToken });
    expect(second).toMatchObject({ servers: [{ name: "farms/f0000/servers/c" }], nextPageToken: "", revision: 1n });
    expect(await refusalText(running.config.listServers({ parent }))).toBe(
      "NOT_FOUND NOT_FOUND | parent: UNKNOWN_REFERENCE",
    );
  });
});

test("a parent narrows to what is inside it, and to nothing whose name only begins alike", async () => {
  const servers = ["farms/web/servers/a", "farms/web-2/servers/a", "farms/web/servers/b"];
  await apply([
    { farm: { name: "farms/web" } },
    { farm: { name: "farms/web-2" } },
    ...servers.map((name) => ({ server: { name, address: "10.0.0.1:1" } })),
  ]);
  const names = async (parent: string): Promise<string[]> =>
    (await running.config.listServers({ parent })).servers.map(({ name }) => name);
  expect(await names("farms/web")).toEqual(["farms/web/servers/a", "farms/web/servers/b"]);
  expect(await names("farms/-")).toEqual(servers.toSorted());
  expect(await names("")).toEqual(servers.toSorted());
});

test("large resources make short pages: each stays below the 4 MiB that gRPC clients take", async () => {
  const label = "x".repeat(60);
  const routes = Array.from({ length: 30 }, (_, index) => ({
    route: {
      name: `listeners/edge/routes/r${index}`,
      match: { serverNames: Array.from({ length: 1000 }, (__, n) => `${label}.${label}.${label}.r${index}n${n}.test`) },
      action: { reject: {} },
    },
  }));
  await apply([{ listener: { name: "listeners/edge", addresses: ["127.0.0.1:443"] } }, ...routes]);
  const sizes: number[] = [];
  let pageToken = "";
  do {
    const page = await running.config.listRoutes({ pageSize: 1000, pageToken });
    sizes.push(page.routes.length);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(sizes).toEqual([10, 10, 10]);
  const state = running.state(0n);
  expect(await state.ended()).toBeUndefined();
  const parts = state.messages.flatMap(({ part }) =>
    part?.$case === "resources" ? [part.value.resources.length] : [],
  );
  // The listener's address counts as well.
  expect(parts).toEqual([10, 10, 10, 1]);
});

describe("refused are", () => {
  const bad = "INVALID_ARGUMENT INVALID_PAGE_TOKEN";
  test.each(["nonsense", "1.0", "-1", "MS4w", "\u0000", "x".repeat(100_000)])(
    "the page token %.40j",
    async (pageToken) => {
      await apply(farms(1));
      expect(await refusalText(running.config.listFarms({ pageToken }))).toBe(bad);
      expect(await refusalText(running.config.listCommits({ pageToken: `${pageToken}!` }))).toBe(bad);
    },
  );
  test("the token of another list, or of a revision that is not there", async () => {
    await apply([...farms(3), { server: { name: "farms/f0000/servers/a", address: "10.0.0.1:1" } }]);
    const { nextPageToken: pageToken } = await running.config.listFarms({ pageSize: 1 });
    expect(await refusalText(running.config.listServers({ pageToken }))).toBe(bad);
    expect(await refusalText(running.config.listListeners({ pageToken }))).toBe(bad);
    const future = Buffer.from("2.1 farm ").toString("base64url");
    expect(await refusalText(running.config.listFarms({ pageToken: future }))).toBe(bad);
  });
  test("a page size below 0, and a parent of another kind", async () => {
    const pageSize = -1;
    const expected = "INVALID_ARGUMENT INVALID_FIELD | page_size: OUT_OF_RANGE";
    expect(await refusalText(running.config.listFarms({ pageSize }))).toBe(expected);
    expect(await refusalText(running.config.listCommits({ pageSize }))).toBe(expected);
    expect(await refusalText(running.fleet.listNodes({ pageSize }))).toBe(expected);
    for (const parent of ["farms/-", "farms/web", "listeners", "listeners/-/routes/-", "x".repeat(1000)])
      expect(await refusalText(running.config.listRoutes({ parent }))).toBe(
        "INVALID_ARGUMENT INVALID_FIELD | parent: MALFORMED",
      );
  });
});
