import { pointerToken } from '../../core/json.ts';
import { isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import type { Document, Node, YAMLError } from 'yaml';

/** Something wrong at a place of one file or entry, before it is known where that is. */
export interface Fault {
  readonly code: string;
  readonly message: string;
  /** JSON pointer inside the file or entry. */
  readonly pointer: string;
  /** The key of that name below `pointer` is what is wrong. */
  readonly key?: string;
  readonly severity?: 'error' | 'warning';
}

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A fault of the text itself, which has a position and no pointer. */
export interface TextFault extends Position {
  readonly code: string;
  readonly message: string;
}

/** One YAML (or JSON) file: its value, what is wrong with its text, and where each entry stands. */
export interface YamlFile {
  /** Undefined when there are faults. */
  readonly value: unknown;
  readonly faults: readonly TextFault[];
  /** Where the value at a pointer stands; with `key`, where that key stands. The nearest parent when it is not there. */
  position(pointer: string, key?: string): Position;
}

const START: Position = { line: 1, column: 1 };
/** Aliases may expand to this many nodes for each alias. */
const MOST_ALIASES = 100;

/** The parser's own messages quote the text, and the text may hold secrets. */
const MESSAGES: ReadonlyMap<string, string> = new Map([
  ['ALIAS_PROPS', 'An alias takes no anchor and no tag. Put the text in quotes if it starts with "*".'],
  ['BAD_ALIAS', 'This is read as an alias that nothing defines. Put the text in quotes if it starts with "*".'],
  ['BAD_DQ_ESCAPE', 'A backslash in double quotes starts an escape. Use single quotes.'],
  ['BAD_INDENT', 'The indentation does not fit the lines above.'],
  ['BAD_SCALAR_START', 'Text cannot start with this character. Put it in quotes.'],
  ['BLOCK_AS_IMPLICIT_KEY', 'There is a second ": " on this line. Put the text in quotes.'],
  ['DUPLICATE_KEY', 'This key is there twice. Join the two, or remove one.'],
  ['MISSING_CHAR', 'Something is not closed here: a quote, a bracket, or a ":" is missing.'],
  ['MULTILINE_IMPLICIT_KEY', 'A ":" with a space behind it is missing after this key.'],
  ['MULTIPLE_DOCS', 'The file holds several documents. Remove the lines that are only "---".'],
  ['NON_STRING_KEY', 'A key must be plain text.'],
  ['TAB_AS_INDENT', 'A tab stands in the indentation. Use spaces.'],
  ['TAG_RESOLVE_FAILED', 'This is read as a tag. Put the text in quotes if it starts with "!".'],
]);

/** What a common mistake is, where the code of the error alone says too little. `rest` is the line from the error on. */
function commonMistake({ code, message }: YAMLError, rest: string): string | undefined {
  const hasColon = /:(\s|$)/.test(rest);
  const is = (one: string, text: RegExp): boolean => code === one && text.test(message);
  if (is('MISSING_CHAR', /closing .quote/)) return 'A quote is opened above and not closed. Put one at the end of its text.';
  if (is('MISSING_CHAR', /map values|without - indicator/)) return MESSAGES.get(hasColon ? 'BAD_INDENT' : 'MULTILINE_IMPLICIT_KEY');
  if (is('BAD_INDENT', /flow/i)) return 'A bracket or brace that is opened above is not closed.';
  if (code === 'BLOCK_AS_IMPLICIT_KEY' && !hasColon)
    return 'The next line is indented deeper, and this one has a value already. Indent both alike.';
  if (!is('UNEXPECTED_TOKEN', /scalar at node end/)) return undefined;
  if (hasColon) return MESSAGES.get('BAD_INDENT');
  return 'The text goes on behind its closing quote. Write a quote inside quotes twice, or use the other kind around the text.';
}

function textFault(error: YAMLError, text: string, counter: LineCounter): TextFault {
  const offset = error.pos[0];
  const position = toPosition(counter, offset);
  const lineEnd = text.indexOf('\n', offset);
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, lineEnd === -1 ? undefined : lineEnd);
  const rest = text.slice(offset, lineEnd === -1 ? undefined : lineEnd);
  if (error.code === 'UNEXPECTED_TOKEN' && /[{[].*(?<!["'])\$\{/.test(line)) {
    return { code: 'yaml', message: 'Inside braces a reference needs quotes: { bearer: "${env:NAME}" }.', ...position };
  }
  return {
    code: 'yaml',
    message:
      commonMistake(error, rest) ?? MESSAGES.get(error.code) ?? 'This is not valid YAML here. Check quotes, brackets and indentation.',
    ...position,
  };
}

function toPosition(counter: LineCounter, offset: number): Position {
  const { line, col } = counter.linePos(offset);
  return line === 0 ? START : { line, column: Math.max(col, 1) };
}

/** The parts of a JSON pointer. */
export function pointerParts(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A JSON pointer one step deeper. */
export function below(pointer: string, key: string | number): string {
  return `${pointer}/${pointerToken(String(key))}`;
}

function child(node: unknown, part: string): { key?: Node; value?: unknown } | undefined {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === part);
    return pair && { key: pair.key as Node, value: pair.value };
  }
  if (isSeq(node) && /^\d+$/.test(part)) {
    const value = node.items[Number(part)];
    return value === undefined ? undefined : { value };
  }
  return undefined;
}

function find(document: Document, counter: LineCounter, pointer: string, key?: string): Position {
  let node: unknown = document.contents;
  let place: Node | null = document.contents;
  for (const part of pointerParts(pointer)) {
    const next = child(node, part);
    if (!next) break;
    node = next.value;
    place = next.key ?? (next.value as Node);
  }
  const named = key === undefined ? undefined : child(node, key)?.key;
  const offset = (named ?? place)?.range?.[0];
  return offset === undefined ? START : toPosition(counter, offset);
}

/** Reads YAML 1.2 with the core schema. Never throws: what is wrong is in `faults`. `empty` names the file in the message about an empty one. */
export function readYaml(text: string, empty: string): YamlFile {
  const counter = new LineCounter();
  const clean = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const parsed = parseAllDocuments(clean, { lineCounter: counter, prettyErrors: false, version: '1.2', schema: 'core', stringKeys: true });
  const refuse = (...faults: TextFault[]): YamlFile => ({ value: undefined, faults, position: () => START });
  const [document, second] = [...parsed];
  if (!document || (document.contents === null && document.errors.length === 0)) {
    return refuse({ code: 'empty', message: `${empty} is empty. Write at least {} when nothing is to be said.`, ...START });
  }
  if (second) {
    const offset = second.range?.[0] ?? 0;
    return refuse({ code: 'yaml', message: MESSAGES.get('MULTIPLE_DOCS') ?? '', ...toPosition(counter, offset) });
  }
  const errors = [...document.errors, ...document.warnings];
  const [first] = errors;
  if (first) {
    const duplicates = errors.filter(({ code }) => code === 'DUPLICATE_KEY');
    const shown = duplicates.length === errors.length ? duplicates : [first];
    return refuse(...shown.map((error) => textFault(error, clean, counter)));
  }
  const position = (pointer: string, key?: string) => find(document, counter, pointer, key);
  try {
    return { value: document.toJS({ maxAliasCount: MOST_ALIASES }), faults: [], position };
  } catch {
    return refuse({ code: 'yaml', message: `${MESSAGES.get('BAD_ALIAS')} Or aliases expand to too much.`, ...START });
  }
}
