import { existsSync, readFileSync } from "node:fs";

/** The folder with package.json: one above the sources, two above what the compiler made of them. */
export const packageRoot: URL = findRoot(new URL(".", import.meta.url));

/** Of package.json. */
export const softwareVersion: string = (
  JSON.parse(readFileSync(new URL("package.json", packageRoot), "utf8")) as { version: string }
).version;

function findRoot(folder: URL): URL {
  if (existsSync(new URL("package.json", folder))) return folder;
  const above = new URL("..", folder);
  if (above.href === folder.href) throw new Error("package.json is missing above the program's own folder");
  return findRoot(above);
}
