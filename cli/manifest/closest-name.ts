/** The known name that a mistyped one was meant to be: at most two edits away, a third of its length at the most. */
export function closestName(typed: string, known: readonly string[]): string | undefined {
  const plain = simplify(typed);
  let best: { readonly name: string; readonly edits: number } | undefined;
  for (const name of known) {
    const editsMax = Math.min(2, Math.floor(name.length / 3));
    const edits = Math.abs(plain.length - name.length) > 2 ? Number.POSITIVE_INFINITY : distance(plain, simplify(name));
    if (edits <= editsMax && edits < (best?.edits ?? Number.POSITIVE_INFINITY)) best = { name, edits };
  }
  return best?.name;
}

/** Case and word separators are slips, not letters. */
function simplify(name: string): string {
  return name.replace(/[-_ ]/g, "").toLowerCase();
}

/** Levenshtein's distance: insertions, deletions and substitutions. */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const substituted = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
