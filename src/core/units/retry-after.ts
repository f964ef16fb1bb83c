/** All three forms of a date in HTTP begin so; what else `Date.parse` takes for a date is none. */
const DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/;
const SECONDS = /^\d{1,10}(?:\.\d+)?$/;

/** `retry-after` as seconds or as a date of HTTP (RFC 9110, 10.2.3), in milliseconds from `now`; undefined for what is neither. */
export function retryAfterMs(header: unknown, now: number): number | undefined {
  const text = typeof header === 'string' ? header.trim() : '';
  if (SECONDS.test(text)) return Number(text) * 1000;
  const at = DATE.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
