/** Warnings about such keys in one text. */
export const MOST_TWINS = 100;

/** The warning about a key that stands twice in one object. */
export function twinWarning(key: string, line: number): { code: string; message: string } {
  const message = `The key ${JSON.stringify(key.slice(0, 80))} stands twice, the second time on line ${line}; the last one counts.`;
  return { code: 'duplicate_key', message };
}

/** Keys that stand twice in one object of a valid JSON text, with the line of the second, in order; `most` of them. JSON.parse keeps the last in silence. */
export function jsonTwins(source: string, most: number): { readonly key: string; readonly line: number }[] {
  const found: { key: string; line: number }[] = [];
  /** The keys of each open object; undefined for an array. */
  const open: (Set<string> | undefined)[] = [];
  let line = 1;
  let isKey = false;
  for (let at = 0; at < source.length && found.length < most; at += 1) {
    const character = source[at];
    if (character === '\n') line += 1;
    else if (character === '{') isKey = open.push(new Set()) > 0;
    else if (character === '[') isKey = open.push(undefined) < 0;
    else if (character === '}' || character === ']') open.pop();
    else if (character === ',') isKey = open.at(-1) !== undefined;
    else if (character === '"') {
      const end = endOfText(source, at);
      const keys = isKey ? open.at(-1) : undefined;
      if (keys !== undefined) {
        const key = JSON.parse(source.slice(at, end + 1)) as string;
        if (keys.has(key)) found.push({ key, line });
        keys.add(key);
        isKey = false;
      }
      at = end;
    }
  }
  return found;
}

/** Where the text in quotes ends that begins at `start`; -1 when it does not. */
export function endOfText(source: string, start: number): number {
  for (let end = source.indexOf('"', start + 1); end >= 0; end = source.indexOf('"', end + 1)) {
    let slashes = 0;
    while (source.charCodeAt(end - 1 - slashes) === 0x5c) slashes += 1;
    if (slashes % 2 === 0) return end;
  }
  return -1;
}
