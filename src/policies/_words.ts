import type { Span } from '../core/units/rate.ts';
import type { Unit } from './_caps.ts';

const NUMBER = new Intl.NumberFormat('en-US', { maximumFractionDigits: 9 });

const NOUNS: Readonly<Record<Exclude<Unit, 'usd'>, readonly [one: string, many: string]>> = {
  requests: ['request', 'requests'],
  tokens: ['token', 'tokens'],
  concurrent: ['call at a time', 'calls at a time'],
  streams: ['open stream', 'open streams'],
};

/** `600 requests a minute`, `$50 a month`, `5 open streams`. Money in billionths of a dollar. */
export function limitWords(unit: Unit, limit: number, per: Span | undefined): string {
  const time = per === undefined ? '' : ` ${per === 'hour' ? 'an' : 'a'} ${per}`;
  const amount = unit === 'usd' ? `$${NUMBER.format(limit / 1e9)}` : `${NUMBER.format(limit)} ${NOUNS[unit][limit === 1 ? 0 : 1]}`;
  return `${amount}${time}`;
}

/** `12`, `$0.05`: cents, and two digits of what is less. */
export function amountWords(unit: Unit, amount: number): string {
  if (unit !== 'usd') return NUMBER.format(amount);
  const dollars = amount / 1e9;
  if (dollars !== 0 && Math.abs(dollars) < 0.01) return `$${NUMBER.format(Number(dollars.toPrecision(2)))}`;
  return `$${dollars.toFixed(2)}`;
}

/** What is in the way of a call that has waited for as long as calls may. */
export function reservedWords(unit: Unit, used: number, reserved: number): string {
  const amounts = `${amountWords(unit, used)} used, ${amountWords(unit, reserved)} reserved`;
  return `is reserved by calls under way (${amounts}). Try again when one of them has ended.`;
}

/** `12 s`, `5 min`, `3 h`, `2 days`; never less than the truth. */
export function waitWords(milliseconds: number): string {
  const seconds = Math.max(1, Math.ceil(milliseconds / 1000));
  if (seconds <= 120) return `${seconds} s`;
  if (seconds <= 7200) return `${Math.ceil(seconds / 60)} min`;
  return seconds <= 172_800 ? `${Math.ceil(seconds / 3600)} h` : `${Math.ceil(seconds / 86_400)} days`;
}
