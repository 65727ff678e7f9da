import { describe, expect, it } from "vitest";
import { fullParent, parseTarget } from "./target-argument.ts";

describe("what KIND and NAME mean", () => {
  const accepted: readonly (readonly [string, string | undefined, string, readonly string[]])[] = [
    ["farms", undefined, "farm", []],
    ["farm web", undefined, "farm", ["farms/web"]],
    ["f web api", undefined, "farm", ["farms/web", "farms/api"]],
    ["farms farms/web", undefined, "farm", ["farms/web"]],
    ["farms/web farms/api", undefined, "farm", ["farms/web", "farms/api"]],
    ["l edge", undefined, "listener", ["listeners/edge"]],
    ["route edge/shop", undefined, "route", ["listeners/edge/routes/shop"]],
    ["r shop", "edge", "route", ["listeners/edge/routes/shop"]],
    ["routes shop", "listeners/edge", "route", ["listeners/edge/routes/shop"]],
    ["listeners/edge/routes/shop", undefined, "route", ["listeners/edge/routes/shop"]],
    ["servers web/a", undefined, "server", ["farms/web/servers/a"]],
    ["s a b", "farms/web", "server", ["farms/web/servers/a", "farms/web/servers/b"]],
    ["nodes n1", undefined, "node", ["nodes/n1"]],
    ["nodes/n1", undefined, "node", ["nodes/n1"]],
    ["all", undefined, "all", []],
  ];
  it.each(accepted)("%s (parent %s) is %s %j", (words, parent, kind, names) => {
    expect(parseTarget(words.split(" "), parent)).toEqual({ kind, names });
  });

  const refused: readonly (readonly [string, RegExp])[] = [
    ["frobs", /^frobs is neither a kind nor a name/],
    ["farms listeners/edge", /^listeners\/edge is not the name of a farm: farms\/\{farm\}/],
    ["farms Web", /^Web is not the name of a farm/],
    ["route shop", /^shop is not the name of a route: .*LISTENER\/ROUTE for short/],
    ["server web/a/b", /^web\/a\/b is not the name of a server/],
    ["farms/web listeners/edge", /^listeners\/edge is not the name of a farm, as farms\/web is/],
    ["all web", /^`all` takes no names/],
  ];
  it.each(refused)("%s is refused", (words, message) => {
    expect(() => parseTarget(words.split(" "), undefined)).toThrow(message);
  });
});

it("a parent narrows routes and servers, and nothing else", () => {
  expect(fullParent("route", undefined)).toBe("listeners/-");
  expect(fullParent("route", "edge")).toBe("listeners/edge");
  expect(fullParent("server", "farms/web")).toBe("farms/web");
  expect(fullParent("farm", undefined)).toBe("");
  expect(() => fullParent("farm", "web")).toThrow(/--parent narrows routes and servers only/);
});
