import { parseServerName, type ServerName, type ServerNameFault, serverNameBytesMax } from "./server-name.ts";

/**
 * What a route says about names: an exact name, `*.suffix` (one label or more in place of the star, so `*.example.com`
 * takes `a.example.com` and `a.b.example.com`, not `example.com`), or `*` (any name, but not the absence of one).
 */
export type ServerNamePattern = string & { readonly __brand: "ServerNamePattern" };

export type ServerNamePatternFault = ServerNameFault | "name_wildcard";

/**
 * Normalises a pattern. A star anywhere but as the whole first label is refused, and so is a suffix too long for any name
 * to end with: a label and a dot must fit before it.
 */
export function parseServerNamePattern(
  text: string,
): { readonly pattern: ServerNamePattern } | { readonly fault: ServerNamePatternFault } {
  if (text === "*") return { pattern: "*" as ServerNamePattern };
  const wildcard = text.startsWith("*.");
  const rest = wildcard ? text.slice(2) : text;
  if (rest.includes("*")) return { fault: "name_wildcard" };
  const parsed = parseServerName(rest);
  if ("fault" in parsed) return parsed;
  if (wildcard && parsed.name.length > serverNameBytesMax - 2) return { fault: "name_too_long" };
  const pattern = wildcard ? `*.${parsed.name}` : parsed.name;
  return { pattern: pattern as ServerNamePattern };
}

/**
 * How specific a pattern is: larger wins. Exact names come above every wildcard, wildcards by the length of their
 * suffix, then `*`; a route's "no name" is `noNameRank`, which never competes with them.
 */
export function patternRank(pattern: ServerNamePattern): number {
  if (pattern === "*") return 1;
  return pattern.startsWith("*.") ? pattern.length : exactRank;
}

/** Above the longest wildcard (253 bytes). */
export const exactRank = 1024;

/** The rank of "no name": its hellos have no other candidates. */
export const noNameRank = 0;

/** Whether a normalised name is one that the pattern covers. */
export function patternCovers(pattern: ServerNamePattern, name: ServerName): boolean {
  if (pattern === "*") return true;
  if (!pattern.startsWith("*.")) return (pattern as string) === name;
  // The dot of the suffix must be there, and a label before it.
  return name.length > pattern.length - 1 && name.endsWith(pattern.slice(1));
}
