import type { Degraded } from '../core/contracts/semantics.ts';
import type { UnknownName } from '../gateway/evaluation/evaluate-tools.ts';
import { printable } from './call-text.ts';

/** Lines that a person reads; --all lists more. */
export const LONGEST_LIST = 20;
/** Characters of a query or text in a list. */
const LONGEST_TEXT = 100;

/** What was measured, and by what. */
export function headline(what: string, { model, scorer }: { readonly model?: string; readonly scorer?: string }): string {
  return `${what}, found by ${model ?? 'words alone'}${scorer === undefined ? '' : ` (${scorer})`}`;
}

export function degradedText({ requested, active, reason }: Degraded): string {
  return `${requested} was asked for and ${active === 'bm25' ? 'words alone answer' : `${active} answers`}: ${reason}`;
}

export function percent(part: number | undefined): string {
  return part === undefined ? '—' : `${(part * 100).toFixed(1)}%`;
}

/** A number of anything, to the whole. */
export function mostly(number: number): string {
  return Math.round(number).toLocaleString('en-US');
}

/** `1 tool`, `4,076 tools`. */
export function many(number: number, noun: string): string {
  return `${mostly(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/** A text of the file as one line. */
export function quoted(text: string): string {
  const line = printable(text.replaceAll(/\s+/g, ' '));
  return `"${line.length > LONGEST_TEXT ? `${line.slice(0, LONGEST_TEXT - 1)}…` : line}"`;
}

/** Names that name nothing. */
export function unknownText(names: readonly UnknownName[]): string {
  return names
    .slice(0, LONGEST_LIST)
    .map(({ name, near }) => `  ${printable(name)}${near === undefined ? '' : `; did you mean ${near}?`}`)
    .concat(names.length > LONGEST_LIST ? [`  and ${names.length - LONGEST_LIST} more`] : [])
    .join('\n');
}
