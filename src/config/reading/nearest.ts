/** Edits (insert, delete, replace, swap of neighbours) between two words. */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i++) {
    const above = rows[i - 1] ?? [];
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const edits = [(above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + (same ? 0 : 1)];
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) edits.push((rows[i - 2]?.[j - 2] ?? 0) + 1);
      row.push(Math.min(...edits));
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
}

const LONGEST = 64;

/** The word that a person most likely meant, when one is near. */
export function nearest(word: string, words: Iterable<string>): string | undefined {
  if (word.length > LONGEST) return undefined;
  const allowed = Math.max(1, Math.floor(word.length / 3));
  const lower = word.toLowerCase();
  let best: { readonly word: string; readonly edits: number } | undefined;
  for (const candidate of words) {
    if (Math.abs(candidate.length - word.length) > allowed) continue;
    const edits = distance(lower, candidate.toLowerCase());
    if (edits <= allowed && edits < (best?.edits ?? Infinity)) best = { word: candidate, edits };
  }
  return best?.word;
}

const LONGEST_SHOWN = 40;

/** A key as messages show it: what is long may be a value in the wrong place. */
export function shownKey(key: string): string {
  return key.length > LONGEST_SHOWN ? `"${key.slice(0, 8)}…"` : `"${key}"`;
}
