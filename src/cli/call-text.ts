import type { CallRecord } from '../core/contracts/call-log.ts';
import { ERRORS } from '../core/errors.ts';
import type { Usage } from '../core/usage.ts';
import { columns } from './print.ts';

/** A call as the admin API shows it. */
export type ShownCall = Omit<CallRecord, 'startedAt'> & { readonly startedAt: string };

type Line = readonly [label: string, value: string | undefined];

const UNKNOWN = '—';

/** One call in full, a field a line, then what happened on the way with its time. What is not known is a dash; tokens and cost are there with usage. */
export function callText(call: ShownCall): string {
  const { usage, firstByteMs } = call;
  const lines: Line[] = [
    ['request', call.id],
    ['time', `${localTime(call.startedAt)} (${call.startedAt})`],
    ['consumer', call.consumer],
    ['lane', call.lane],
    ['operation', call.operation],
    ['route', call.route],
    ['asked for', call.asked || undefined],
    ['target', call.target],
    ['provider', call.provider],
    ['model served', call.modelServed],
    ['outcome', outcomeText(call.outcome)],
    ['status', String(call.status)],
    ['streamed', call.streamed ? 'yes' : 'no'],
    ['attempts', String(call.attempts)],
    ['duration', milliseconds(call.durationMs)],
    ['first byte', firstByteMs === undefined ? undefined : milliseconds(firstByteMs)],
    ...(usage === undefined ? [] : usageLines(usage)),
    ['events', call.events.length === 0 ? 'none' : ''],
  ];
  const fields = columns(lines.map(([label, value]) => [label, value === undefined ? UNKNOWN : printable(value)]));
  const events = call.events.map(({ type, at, detail = '', figures = {} }) => {
    const amounts = Object.entries(figures).map(([name, amount]) => `${name} ${amount}`);
    return [`+${milliseconds(at)}`, type, printable(detail), printable(amounts.join(', '))];
  });
  return events.length === 0 ? fields : `${fields}\n${columns(events, '  ')}`;
}

/** The code, and what it says where nothing more is known. */
function outcomeText(outcome: string): string {
  if (outcome === 'failed') return 'failed: The tool or agent reports a failure of its own.';
  const known = Object.hasOwn(ERRORS, outcome) ? ERRORS[outcome as keyof typeof ERRORS] : undefined;
  return known === undefined ? outcome : `${outcome}: ${known.message}`;
}

function usageLines(usage: Usage): Line[] {
  const told: readonly [label: string, value: number | undefined][] = [
    ['total tokens', usage.totalTokens],
    ['cache read', usage.cacheReadTokens],
    ['cache written', usage.cacheWriteTokens],
    ['for an hour', usage.cacheWriteLongTokens],
    ['reasoning', usage.reasoningTokens],
    ['audio in', usage.inputAudioTokens],
    ['audio out', usage.outputAudioTokens],
  ];
  const by = usage.estimated === true ? ' (counted by the hub, roughly)' : '';
  const counted = (tokens: number | undefined): string | undefined => (tokens === undefined ? undefined : `${tokens}${by}`);
  return [
    ['tokens in', counted(usage.inputTokens)],
    ['tokens out', counted(usage.outputTokens)],
    ...told.flatMap(([label, value]): Line[] => (value === undefined ? [] : [[label, String(value)]])),
    ['cost', usage.cost === null ? 'not known: the model has no price' : dollars(usage.cost)],
  ];
}

function milliseconds(value: number): string {
  return `${Math.round(value)} ms`;
}

export function dollars(cost: number | undefined): string | undefined {
  return cost === undefined ? undefined : `$${cost.toFixed(cost < 1 ? 6 : 2)}`;
}

/** What callers and vendors name must not write on the terminal as it likes. */
export function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, '?');
}

/** `2026-11-21 08:00:00` on the clock of this machine. */
export function localTime(iso: string): string {
  const time = new Date(iso);
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 19).replace('T', ' ');
}
