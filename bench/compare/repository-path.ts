import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** A path in the repository, from wherever the compiled file lies. */
export function repositoryPath(...parts: readonly string[]): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, "package.json"))) {
    const parent = dirname(directory);
    if (parent === directory) throw new Error("no package.json above the bench");
    directory = parent;
  }
  return join(directory, ...parts);
}
