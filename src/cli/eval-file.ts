import { readFile } from 'node:fs/promises';
import { readYaml } from '../config/reading/yaml-file.ts';
import { CommandError } from './settings.ts';

/** Characters of a query or text that the hub takes. */
export const LONGEST_EXAMPLE = 4000;
/** Faults that a person corrects in one go. */
const MOST_FAULTS = 20;
/** Keys under which a file may have its list. */
const LISTS = ['queries', 'texts'];

/** The entries of a file, and where each stands. */
interface Entries {
  readonly values: readonly unknown[];
  /** `FILE:LINE`. */
  place(index: number): string;
}

/**
 * Reads examples from JSON (a list, or an object with the list under `queries` or `texts`), JSON lines or YAML. `read` makes something of one entry, or
 * says what is wrong with it. Throws CommandError with the place of everything that is wrong, and for a file without an entry.
 */
export async function readExamples<T extends object>(
  file: string,
  read: (entry: Readonly<Record<string, unknown>>) => T | string,
): Promise<T[]> {
  const { values, place } = entriesOf(await textOf(file), file);
  if (values.length === 0) throw new CommandError(`${file} has no entries: there is nothing to measure.`);
  const faults: Fault[] = [];
  const examples = values.flatMap((value, at): T[] => {
    const example =
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? read(value as Readonly<Record<string, unknown>>)
        : 'The entry must be an object.';
    if (typeof example !== 'string') return [example];
    faults.push({ path: faults.length < MOST_FAULTS ? place(at) : '', message: example });
    return [];
  });
  if (faults.length > 0) throw refusal(`${faults.length} of ${values.length} entries cannot be used, so nothing was measured.`, faults);
  return examples;
}

interface Fault {
  readonly path: string;
  readonly message: string;
}

/** Shown with each fault on a line of its own. */
function refusal(message: string, faults: readonly Fault[]): CommandError {
  const shown = faults.slice(0, MOST_FAULTS);
  const more = faults.length - shown.length;
  return Object.assign(new CommandError(message), { errors: more === 0 ? shown : [...shown, { path: '', message: `and ${more} more` }] });
}

async function textOf(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new CommandError(`There is no file ${file}.`);
    throw new CommandError(`${file} cannot be read (${code ?? (error as Error).message}).`);
  }
}

function entriesOf(text: string, file: string): Entries {
  if (text.trim() === '') throw new CommandError(`${file} is empty: there is nothing to measure.`);
  const whole = /\.(?:jsonl|ndjson)$/i.test(file) ? undefined : parsed(text);
  if (whole !== undefined) {
    const { values, pointer } = listOf(whole, file);
    // Only a fault is worth reading the text again, once.
    let places: ReturnType<typeof readYaml> | undefined;
    const line = (index: number): number => (places ??= readYaml(text, file)).position(`${pointer}/${index}`).line;
    const isOneLine = !text.trim().includes('\n');
    return { values, place: (index) => (isOneLine ? `${file}, entry ${index + 1}:` : `${file}:${line(index)}`) };
  }
  const lines = text.split('\n').flatMap((line, at) => (line.trim() === '' ? [] : [{ line, number: at + 1 }]));
  if (/\.(?:jsonl|ndjson)$/i.test(file) || lines.every(({ line }) => line.startsWith('{'))) return linesOf(lines, file);
  const { value, faults, position } = readYaml(text, file);
  if (faults.length > 0)
    throw refusal(
      `${file} cannot be read.`,
      faults.map(({ line, column, message }) => ({ path: `${file}:${line}:${column}`, message })),
    );
  const { values, pointer } = listOf(value, file);
  return { values, place: (index) => `${file}:${position(`${pointer}/${index}`).line}` };
}

function linesOf(lines: readonly { readonly line: string; readonly number: number }[], file: string): Entries {
  const place = (index: number): string => `${file}:${lines[index]?.number}`;
  const values = lines.map(({ line }) => parsed(line));
  const faults = values.flatMap((value, at) => (value === undefined ? [{ path: place(at), message: 'The line is not valid JSON.' }] : []));
  if (faults.length > 0) throw refusal(`${faults.length} of ${values.length} lines cannot be read, so nothing was measured.`, faults);
  return { values, place };
}

function listOf(value: unknown, file: string): { values: readonly unknown[]; pointer: string } {
  if (Array.isArray(value)) return { values: value, pointer: '' };
  const inside = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const [key, values] = inside.find(([name, list]) => LISTS.includes(name) && Array.isArray(list)) ?? [];
  if (key === undefined) throw new CommandError(`${file} must be a list of entries, or have one under ${LISTS.join(' or ')}.`);
  return { values: values as unknown[], pointer: `/${key}` };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
