import { posix } from "node:path";
import type { Law } from "./law.ts";

const sourceRoots = /^(model|controlplane|dataplane|cli|bench|test|console)(\/|$)/;
const sources = /\.(ts|mjs|js|cc|cpp|h|sh)$/;
const readmeLinesMax = 25;

/** What the folder is for, who may import it, which file to read first, what is not there. */
export const foldersExplainThemselves: Law = {
  name: `A folder with sources has a README.md of at most ${readmeLinesMax} lines.`,
  check: (files) => {
    const texts = new Map(files.map(({ path, text }) => [path, text]));
    const folders = new Set(files.filter(({ path }) => sources.test(path)).map(({ path }) => posix.dirname(path)));
    return [...folders]
      .filter((folder) => sourceRoots.test(folder))
      .flatMap((folder) => {
        const path = `${folder}/README.md`;
        const text = texts.get(path);
        if (text === undefined) return [{ path, line: 1, says: "is missing" }];
        const lines = text.trimEnd().split("\n").length;
        return lines > readmeLinesMax ? [{ path, line: 1, says: `has ${lines} lines` }] : [];
      });
  },
};
