import { lawPerFile } from "./law.ts";

interface LockedPackage {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * `npm ci` refuses a lock file without the packages for other platforms, yet `npm install` writes such a file when it can't
 * see them (a mirror that holds only this platform's).
 */
export const lockIsComplete = lawPerFile("The lock file holds every package that a locked package needs.", (file) => {
  if (file.path !== "package-lock.json") return [];
  const { packages }: { packages: Readonly<Record<string, LockedPackage>> } = JSON.parse(file.text);
  return Object.entries(packages).flatMap(([holder, { dependencies, optionalDependencies }]) =>
    Object.entries({ ...dependencies, ...optionalDependencies })
      .filter(([name, range]) => !isSatisfied(versionFor(packages, holder, name), range))
      .map(([name, range]) => ({
        path: file.path,
        line: 1,
        says: `${holder || "the project"} needs ${name} ${range}`,
      })),
  );
});

/** Looks where Node would: beside the holder's own packages, then outward. */
function versionFor(
  packages: Readonly<Record<string, LockedPackage>>,
  holder: string,
  name: string,
): string | undefined {
  for (let at = holder; ; at = at.includes("/node_modules/") ? at.slice(0, at.lastIndexOf("/node_modules/")) : "") {
    const found = packages[`${at === "" ? "" : `${at}/`}node_modules/${name}`];
    if (found !== undefined || at === "") return found?.version;
  }
}

/** Platform packages are asked for by their exact version; ranges are npm's to judge. */
function isSatisfied(version: string | undefined, range: string): boolean {
  return version !== undefined && (!/^\d+\.\d+\.\d+$/.test(range) || version === range);
}
