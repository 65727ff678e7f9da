import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Law } from "./law.ts";
import { readTree, type SourceFile } from "./tree.ts";

/** Files made up for a test, by path. */
export type Plant = Readonly<Record<string, string>>;

export interface Proof {
  readonly law: Law;
  /** Trees that break the law, named by how. Each must be caught, or the law proves nothing. */
  readonly caught: Readonly<Record<string, Plant>>;
  /** Trees that come close and keep it. Each must pass, or the law is in the way of good code. */
  readonly spared: Readonly<Record<string, Plant>>;
}

/** The repository as it stands on the disk. */
export const repository = readTree(join(import.meta.dirname, "../.."));

/** Tests a law both ways: on planted trees, which show that it bites, and on the repository as it is. */
export function proveLaw({ law, caught, spared }: Proof): void {
  describe(law.name, () => {
    it("the repository keeps it", () => {
      expect(law.check(repository).map(({ path, line, says }) => `${path}:${line} ${says}`)).toEqual([]);
    });
    it.each(Object.entries(caught))("it catches %s", (_, plant) => {
      expect(law.check(filesOf(plant))).not.toEqual([]);
    });
    it.each(Object.entries(spared))("it spares %s", (_, plant) => {
      expect(law.check(filesOf(plant))).toEqual([]);
    });
  });
}

function filesOf(plant: Plant): readonly SourceFile[] {
  return Object.entries(plant).map(([path, text]) => ({ path, text }));
}
