/** Units of time in milliseconds. */
export const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** Timers of Node count 31 bits of milliseconds. */
const LONGEST_DURATION = 24 * MILLISECONDS.d;

/** `250ms`, `30s`, `5m`, `1h`, `1d` as milliseconds; undefined for what is none, or longer than 24 days. */
export function parseDuration(text: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  if (!found) return undefined;
  const value = Math.round(Number(found[1]) * MILLISECONDS[found[2] as keyof typeof MILLISECONDS]);
  return value >= 1 && value <= LONGEST_DURATION ? value : undefined;
}
