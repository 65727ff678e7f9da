import { type Law, lawPerFile, type Violation } from "./law.ts";
import type { SourceFile } from "./tree.ts";

/** Kept as somebody else made it: recorded bytes, and what is vendored as published. */
const asItCame = /(^|\/)corpus\/.*\.(hex|json|txt)$|^proto\/(google|grpc)\//;

function perLine(name: string, expression: RegExp, says: string): Law {
  return lawPerFile(name, (file) => (asItCame.test(file.path) ? [] : linesThatMatch(file, expression, says)));
}

function linesThatMatch(file: SourceFile, expression: RegExp, says: string): readonly Violation[] {
  const violations: Violation[] = [];
  for (const [index, line] of file.text.split("\n").entries()) {
    if (expression.test(line)) violations.push({ path: file.path, line: index + 1, says });
  }
  return violations;
}

export const nothingIsPutOff = perLine(
  "What is to be done is done, or stands in an issue, not in the text.",
  /\b(?:TO(?:DO)|FIX(?:ME))\b/,
  "puts something off",
);

export const linesEndClean = perLine(
  "Lines end without blanks, and with a plain line feed.",
  /[ \t\r]$/,
  "blanks at the end",
);

export const filesEndWithALineFeed: Law = lawPerFile("A text file ends with one line feed.", (file) => {
  const ends = file.text === "" || /[^\n]\n$/.test(file.text);
  return ends || asItCame.test(file.path) ? [] : [{ path: file.path, line: 1, says: "ends otherwise" }];
});

/** Where packages come from is the installing machine's business: a mirror, a cache, no network at all. */
export const noRegistryIsNamed = perLine(
  "No file says which host packages come from.",
  new RegExp(
    [
      String.raw`\bregistry\.(?:npmjs|yarnpkg)\.\w+`,
      String.raw`\bregistry\.npmmirror\.\w+`,
      String.raw`\bnpm\.pkg\.github\.\w+`,
      String.raw`\b[\w-]+\.jfrog\.io\b`,
      String.raw`\b(?:deb|security|ftp|archive)\.(?:\w+\.)*(?:debian|ubuntu)\.(?:org|com)\b`,
      String.raw`\b(?:files\.pythonhosted|pypi)\.org\b`,
      String.raw`^\s*"resolved": "https?:`,
      String.raw`^\s*(?:@[\w-]+:)?registry\s*=`,
    ].join("|"),
  ),
  "names a package registry",
);
