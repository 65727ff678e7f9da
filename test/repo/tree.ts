import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A text file of the repository, or one made up for a test. */
export interface SourceFile {
  /** From the repository's root, with slashes: `model/digest.ts`. */
  readonly path: string;
  readonly text: string;
}

/** Made by tools or by a run, not by us. Names of folders, or paths from the root. */
const notOurs = new Set([".git", "node_modules", "dist", ".switchyard", "coverage", "proto/gen", "build"]);

/**
 * Reads every text file under `root`. The disk is walked, rather than git asked, so that a file that is not added yet is
 * held to the laws too, and so that an archive without history can be tested.
 */
export function readTree(root: string): readonly SourceFile[] {
  const files: SourceFile[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (notOurs.has(entry.name) || notOurs.has(path) || entry.name.endsWith(".log")) continue;
      if (entry.isDirectory()) visit(path);
      else if (entry.isFile()) {
        const bytes = readFileSync(join(root, path));
        if (!bytes.includes(0)) files.push({ path, text: bytes.toString("utf8") });
      }
    }
  };
  visit("");
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** TypeScript and JavaScript, which the parser reads. */
export function isScript(file: SourceFile): boolean {
  return /\.(ts|mjs|js)$/.test(file.path);
}

/** What proves, as against what runs for a user. Tests may do much that sources may not. */
export function isTest(file: SourceFile): boolean {
  return file.path.startsWith("test/") || file.path.endsWith(".test.ts");
}
