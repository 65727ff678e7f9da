export interface DiffLine {
  readonly mark: " " | "+" | "-";
  readonly text: string;
}

/** Above this product of lengths, what differs is shown as all old lines, then all new ones. */
const cellsMax = 4_000_000;

/** The shortest edit between two texts, line by line; removals stand before additions. */
export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  const tailMax = Math.min(before.length, after.length) - head;
  while (tail < tailMax && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  const same = (text: string): DiffLine => ({ mark: " ", text });
  return [
    ...before.slice(0, head).map(same),
    ...diffMiddle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ];
}

/** By the longest common subsequence: `lengths` holds it for every pair of suffixes. */
function diffMiddle(before: readonly string[], after: readonly string[]): DiffLine[] {
  const width = after.length + 1;
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  if (before.length * after.length <= cellsMax) {
    const lengths = new Uint32Array((before.length + 1) * width);
    const at = (row: number, column: number): number => lengths[row * width + column] ?? 0;
    for (let row = before.length - 1; row >= 0; row -= 1)
      for (let column = after.length - 1; column >= 0; column -= 1)
        lengths[row * width + column] =
          before[row] === after[column]
            ? at(row + 1, column + 1) + 1
            : Math.max(at(row + 1, column), at(row, column + 1));
    while (i < before.length && j < after.length) {
      const [left, right] = [before[i] ?? "", after[j] ?? ""];
      if (left === right) {
        lines.push({ mark: " ", text: left });
        i += 1;
        j += 1;
      } else if (at(i + 1, j) >= at(i, j + 1)) {
        lines.push({ mark: "-", text: left });
        i += 1;
      } else {
        lines.push({ mark: "+", text: right });
        j += 1;
      }
    }
  }
  for (const text of before.slice(i)) lines.push({ mark: "-", text });
  for (const text of after.slice(j)) lines.push({ mark: "+", text });
  return lines;
}

/** The lines that changed, each under the lines that it is indented below, so that its field can be seen. */
export function changedWithParents(lines: readonly DiffLine[]): DiffLine[] {
  const shown = new Set<number>();
  for (const [index, line] of lines.entries()) {
    if (line.mark === " ") continue;
    shown.add(index);
    let indent = indentOf(line.text);
    for (let above = index - 1; above >= 0 && indent > 0; above -= 1) {
      const parent = lines[above];
      if (parent === undefined || (parent.mark !== " " && parent.mark !== line.mark)) continue;
      if (indentOf(parent.text) >= indent) continue;
      indent = indentOf(parent.text);
      shown.add(above);
    }
  }
  return lines.filter((_, index) => shown.has(index));
}

function indentOf(text: string): number {
  return text.length - text.trimStart().length;
}
