/** Longer patterns are no rule that a person wrote. */
const LONGEST = 1000;

const repaired = new Map<string, string | undefined>();
const MOST_REMEMBERED = 10_000;

/** `/^…$/`, `/…/i`: delimiters and flags are no part of a pattern in JSON Schema, and no text would match them. */
const DELIMITED = /^\/(?:\^.*\$\/[a-z]*|.*\/[gimsuxy]+)$/s;
/** `(?i:…)`: ECMA-262 has it since 2025, and clients with older engines refuse it. */
const MODIFIED = /\(\?(?:[ims]+(?:-[ims]*)?|-[ims]+):/;

/** White space before the beginning or behind the end, as YAML leaves it there: no text would match. */
const OUTSIDE = /^\s+(?=\^)|(?<=(?<!\\)(?:\\\\)*\$)\s+$/g;

/** The pattern as ECMA-262 reads it with the `u` flag; undefined when it cannot be (PCRE's `(?i)`, `\z`, `/…/i`, …). */
export function usablePattern(written: string): string | undefined {
  if (repaired.has(written)) return repaired.get(written);
  if (repaired.size >= MOST_REMEMBERED) repaired.clear();
  const pattern = written.replace(OUTSIDE, '');
  const foreign = pattern.length > LONGEST || DELIMITED.test(pattern) || MODIFIED.test(pattern);
  const result = foreign ? undefined : valid(pattern, 'u') ? pattern : unescaped(pattern);
  repaired.set(written, result);
  return result;
}

function valid(pattern: string, flags: string): boolean {
  try {
    return new RegExp(pattern, flags) instanceof RegExp;
  } catch {
    return false;
  }
}

/** Escapes that are idle (`\@`, `\-` outside a class) are errors under `u` and fine without: they are taken off. */
function unescaped(pattern: string): string | undefined {
  if (!valid(pattern, '') || /\\[zZAGQEhHRX]/.test(pattern)) return undefined;
  let inClass = false;
  const result = pattern.replace(/\\([\s\S])|[[\]]/g, (whole, escaped: string | undefined) => {
    if (escaped === undefined) {
      inClass = whole === '[';
      return whole;
    }
    if (/[\w^$\\.*+?()[\]{}|/]/.test(escaped) && escaped !== '_') return whole;
    return escaped === '-' && inClass ? whole : escaped;
  });
  return valid(result, 'u') ? result : undefined;
}

/** What one test may cost: the steps that backtracking takes at the worst, about 1 ms. */
const STEPS = 1e6;
/** What all tests of one value may cost together: about 20 ms. */
const STEPS_TOGETHER = 2e7;

/** The steps that the patterns of one value share. */
export class PatternBudget {
  #left = STEPS_TOGETHER;

  renew(): void {
    this.#left = STEPS_TOGETHER;
  }

  /** Whether there is enough left, which is then used. */
  take(steps: number): boolean {
    if (steps > this.#left) return false;
    this.#left -= steps;
    return true;
  }
}

/**
 * A regular expression that answers in time whatever it is given: where the pattern could backtrack for long on a text of this length, or `budget` is
 * used up, the text passes, and the upstream judges it. Exactly: a repeated group that itself varies is never run, and n repeats of varying length
 * are run on texts of at most the (n+1)th root of STEPS, halved in steps for each optional part.
 */
export class BoundedPattern {
  readonly source: string;
  readonly #pattern: RegExp | undefined;
  readonly #budget: PatternBudget | undefined;
  readonly #exponent: number;
  readonly #factor: number;
  readonly #longest: number;

  constructor(source: string, flags: string, budget?: PatternBudget) {
    this.source = source;
    this.#budget = budget;
    const { repeats, optional, nested } = variationOf(source);
    this.#exponent = repeats + (source.startsWith('^') ? 0 : 1) || 1;
    this.#factor = 2 ** optional;
    this.#longest = Math.floor((STEPS / this.#factor) ** (1 / this.#exponent));
    this.#pattern = nested || this.#factor > STEPS ? undefined : new RegExp(source, flags);
  }

  /** Characters of the longest text that it is run on; 0 when it is never run. */
  get longest(): number {
    return this.#pattern === undefined ? 0 : this.#longest;
  }

  test(text: string): boolean {
    if (this.#pattern === undefined || text.length > this.#longest) return true;
    return this.#budget?.take(this.#stepsFor(text.length)) === false || this.#pattern.test(text);
  }

  #stepsFor(length: number): number {
    let steps = this.#factor;
    // `**` takes longer than most tests.
    for (let power = 0; power < this.#exponent; power += 1) steps *= length;
    return steps;
  }

  /** The validator keeps patterns apart by this. */
  toString(): string {
    return `/${this.source}/`;
  }
}

interface Variation {
  /** Repeats of varying length. */
  repeats: number;
  optional: number;
  /** A repeat stands around a repeat, an optional part or a choice. */
  nested: boolean;
}

const TOKENS = /\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]|\((?:\?(?:<?[=!]|:|<\w+>))?|\)|\||[*+?]|\{\d+(?:,\d*)?\}|[\s\S]/g;

function variationOf(source: string): Variation {
  const found: Variation = { repeats: 0, optional: 0, nested: false };
  /** For each open group: whether its length varies. */
  const groups: boolean[] = [];
  const vary = (): void => {
    if (groups.length > 0) groups[groups.length - 1] = true;
  };
  /** What stands before is a group whose length varies. */
  let varied = false;
  for (const [token] of source.matchAll(TOKENS)) {
    if (token === ')') {
      varied = groups.pop() ?? false;
      if (varied) vary();
      continue;
    }
    if (token.startsWith('(')) groups.push(false);
    else if (token === '|') vary();
    else if (token === '?') {
      found.optional += 1;
      vary();
    } else if (/^[*+{]/.test(token) && token !== '{') {
      found.nested ||= varied;
      if (!/^\{\d+\}$/.test(token)) {
        found.repeats += 1;
        vary();
      }
    }
    varied = false;
  }
  return found;
}
