import type { SourceFile } from "./tree.ts";

/** A rule that the repository keeps. Checks are pure: a test feeds them files that do not exist. */
export interface Law {
  /** A sentence that says the law, not how it is checked. */
  readonly name: string;
  readonly check: (files: readonly SourceFile[]) => readonly Violation[];
}

export interface Violation {
  readonly path: string;
  /** From 1; a violation by a whole file or folder is at 1. */
  readonly line: number;
  /** What is wrong there, and where it is not obvious, what to do. */
  readonly says: string;
}

/** A law that looks at one file at a time. */
export function lawPerFile(name: string, checkFile: (file: SourceFile) => readonly Violation[]): Law {
  return { name, check: (files) => files.flatMap(checkFile) };
}
