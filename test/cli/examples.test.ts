import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packageRoot } from "../../cli/package-root.ts";
import { Farm, Server } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { VerbRig } from "./verb-rig.ts";

const folder = fileURLToPath(new URL("examples", packageRoot));
const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));

let rig: VerbRig;
beforeEach(async () => {
  rig = await VerbRig.start();
});
afterEach(() => rig.close());

describe("an example", () => {
  it.each(files)("%s is taken as it is, and says what `get` shows", async (file) => {
    expect(await rig.done(["apply", "-f", join(folder, file)])).toMatch(/; now at revision 1\n$/);
    expect(await rig.done(["apply", "-f", join(folder, file)])).toMatch(/; still at revision 1\n$/);
    const shown = await rig.done("get all -o yaml");
    expect(await rig.done("apply -f - --prune", { stdin: shown })).toMatch(/; still at revision 1\n$/);
  });

  it("in the README is taken too", async () => {
    const readme = readFileSync(new URL("README.md", packageRoot), "utf8");
    const blocks = [...readme.matchAll(/```yaml\n([^]*?)```/g)].map(([, yaml = ""]) => yaml);
    expect(blocks.length).toBeGreaterThan(1);
    for (const stdin of blocks) await rig.done("apply -f - --dry-run", { stdin });
  });

  it("shows every field of a farm and of a server, but for what needs more than a file", () => {
    const text = readFileSync(join(folder, "farm.yaml"), "utf8");
    const leftOut = new Set(["etag", "halfCloseTimeout", "sourceTransparent", "state"]);
    const fields = [Farm, Server].flatMap((type) => Object.keys(type.fromPartial({})));
    for (const field of fields.filter((each) => !leftOut.has(each))) expect(text).toContain(`${field}:`);
  });
});
