import type { DocumentLimits } from '../types.ts';
import { DocumentError } from '../types.ts';
import { refuseForeignText } from './foreign.ts';
import { endOfText, jsonTwins, MOST_TWINS, twinWarning } from './json-twins.ts';
import { readYaml } from './yaml.ts';

/** What was noticed while text became values. */
export type ParseWarnings = { readonly code: string; readonly message: string }[];

/** JSON that cannot be read is tried as YAML, which takes comments and commas too many; longer ones would take longer than a person waits. */
const LONGEST_SECOND_TRY = 1024 * 1024;

/** JSON or YAML text as values. Throws DocumentError for what is neither. */
export function parseText(text: string, limits: DocumentLimits, warnings: ParseWarnings): unknown {
  const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  const start = source.slice(0, 1000).trimStart();
  if (start === '' && source.trim() === '') throw new DocumentError('empty', 'The document is empty.', { line: 1 });
  refuseForeignText(start);
  if (source.includes('\ufffd'))
    warnings.push({ code: 'invalid_encoding', message: 'The document has characters that are not valid UTF-8; they are read as U+FFFD.' });
  if (start.startsWith('{') || start.startsWith('[')) return readJson(source, limits, warnings);
  refuseNul(source);
  return readYaml(source, limits, warnings);
}

/** YAML would take them; JSON.parse does not. */
function refuseNul(source: string): void {
  if (source.includes('\u0000'))
    throw new DocumentError('not_openapi', 'This is not a text: it has NUL characters. Save it as UTF-8.', { line: 1 });
}

/** What JSON.parse makes of brackets, 60 bytes each, is not bounded by the worker. Shorter texts are not counted: they stay below its limit. */
const LONGEST_UNCOUNTED = 8 * 1024 * 1024;
const MOST_LEVELS = 100_000;
const MOST_OBJECTS = 2_000_000;

function readJson(source: string, limits: DocumentLimits, warnings: ParseWarnings): unknown {
  if (source.length > LONGEST_UNCOUNTED) checkBrackets(source);
  try {
    const value = JSON.parse(source) as unknown;
    // Longer ones are written by programs, which write no key twice.
    const twins = source.length > LONGEST_SECOND_TRY ? [] : jsonTwins(source, MOST_TWINS);
    for (const { key, line } of twins) warnings.push(twinWarning(key, line));
    return value;
  } catch (error) {
    refuseNul(source);
    const place = placeIn(source, (error as Error).message);
    const refused = (found: { line: number; column: number }): DocumentError =>
      new DocumentError('invalid_json', `The JSON cannot be read: ${shortened((error as Error).message)}.`, found);
    // Text that breaks off is broken in YAML too.
    if (source.length > LONGEST_SECOND_TRY || place?.ended === true) throw refused(place ?? { line: 1, column: 1 });
    try {
      return readYaml(source, limits, warnings);
    } catch (second) {
      if (second instanceof RangeError || (second instanceof DocumentError && second.code !== 'invalid_yaml')) throw second;
      throw refused(place ?? (second instanceof DocumentError ? { line: second.line ?? 1, column: second.column ?? 1 } : { line: 1, column: 1 })); // prettier-ignore
    }
  }
}

/** Throws DocumentError `too_expensive` when there are more brackets than a description has, open at a time or in all. */
function checkBrackets(source: string): void {
  let open = 0;
  let all = 0;
  for (let at = 0; at < source.length; at += 1) {
    const code = source.charCodeAt(at);
    if (code === 0x22) {
      at = endOfText(source, at);
      if (at < 0) return;
    } else if (code === 0x7b || code === 0x5b) {
      open += 1;
      all += 1;
      if (open > MOST_LEVELS) throw new DocumentError('too_expensive', `The JSON is nested deeper than ${MOST_LEVELS} levels.`);
      if (all > MOST_OBJECTS) throw new DocumentError('too_expensive', `The JSON has more than ${MOST_OBJECTS} objects and arrays.`);
    } else if (code === 0x7d || code === 0x5d) open -= 1;
  }
}

function shortened(message: string): string {
  return message.replace(/, (\.\.\.)?".*is not valid JSON$/s, '').replace(/ \(line \d+ column \d+\)$/, '');
}

function placeIn(source: string, message: string): { line: number; column: number; ended: boolean } | undefined {
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position === undefined) return /end of JSON input/.test(message) ? { ...placeOf(source, source.length), ended: true } : undefined;
  return { ...placeOf(source, Number(position)), ended: Number(position) >= source.trimEnd().length };
}

function placeOf(source: string, position: number): { line: number; column: number } {
  const before = source.slice(0, position);
  let line = 1;
  for (let at = before.indexOf('\n'); at >= 0; at = before.indexOf('\n', at + 1)) line += 1;
  return { line, column: position - before.lastIndexOf('\n') };
}
