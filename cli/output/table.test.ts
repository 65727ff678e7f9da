import { describe, expect, it } from "vitest";
import { abridged, renderFields, renderTable } from "./table.ts";

describe("a table", () => {
  it("aligns columns and leaves no blanks at the end of a line", () => {
    expect(
      renderTable(
        ["NAME", "W"],
        [
          ["farms/a", "1"],
          ["f", "100"],
        ],
      ),
    ).toBe("NAME      W\nfarms/a   1\nf         100\n");
  });
  it("shows an empty cell as a dash, so that a row keeps its columns", () => {
    expect(renderTable(["A", "B", "C"], [["", "x", ""]])).toBe("A   B   C\n-   x   -\n");
  });
  it("escapes before it measures", () => {
    expect(renderTable(["NAME", "W"], [["\u001B[2J", "1"]])).toBe("NAME        W\n\\u001b[2J   1\n");
  });
  it("does not wrap or cut a long cell", () => {
    const long = "x".repeat(500);
    expect(renderTable(["NAME"], [[long]])).toBe(`NAME\n${long}\n`);
  });
});

it("a long list shows its first values and how many more there are", () => {
  expect(abridged(["a", "b", "c"])).toBe("a,b,c");
  expect(abridged(["a", "b", "c", "d", "e"])).toBe("a,b,c,+2 more");
  expect(abridged([])).toBe("");
});

it("fields stand under each other with their values aligned", () => {
  expect(
    renderFields([
      ["a", "1"],
      ["long", ""],
    ]),
  ).toBe("a      1\nlong   -\n");
});
