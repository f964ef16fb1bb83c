import { createRequire } from 'node:module';
import type { DocumentLimits } from '../types.ts';
import { DocumentError } from '../types.ts';
import { MOST_TWINS, twinWarning } from './json-twins.ts';
import { lineAt, valuesOf } from './yaml-values.ts';

type Yaml = typeof import('yaml');

/** Loaded at the first YAML document: most starts of a worker read JSON, and the package costs more than the rest of this folder. */
let loaded: Yaml | undefined;

/** YAML 1.2 core schema. Throws DocumentError `invalid_yaml` with line and column. */
export function readYaml(source: string, limits: DocumentLimits, warnings: { code: string; message: string }[]): unknown {
  try {
    return read(source, limits, warnings);
  } catch (error) {
    if (error instanceof RangeError) throw new DocumentError('too_expensive', 'The YAML is nested too deep.');
    throw error;
  }
}

function read(source: string, limits: DocumentLimits, warnings: { code: string; message: string }[]): unknown {
  loaded ??= createRequire(import.meta.url)('yaml') as Yaml;
  // A document that says it is YAML 1.1 would have its on, no and dates read as something else than text.
  const plain = source.startsWith('%') ? source.replace(/^%YAML[ \t]+1\.[0-9]+/m, '%YAML 1.2') : source;
  // A carriage return alone ends a line too (YAML 1.2.2, 5.4); the package takes it for white space.
  const text = plain.includes('\n') ? plain : plain.replaceAll('\r', '\n');
  // The package compares every key with every other; `warnOfTwins` does not.
  const options = { version: '1.2', schema: 'core', merge: true, prettyErrors: true, logLevel: 'error', uniqueKeys: false } as const;
  const document = loaded.parseDocument(text, options);
  for (const error of document.errors) {
    const [place] = error.linePos ?? [];
    const message = error.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? error.message;
    if (error.code === 'MULTIPLE_DOCS') throw at('several_documents', 'The file holds several YAML documents; there must be one.', place);
    else if (message.includes('call stack')) throw new RangeError(message);
    else if (!lenient(error, source)) throw at('invalid_yaml', `The YAML cannot be read: ${message}.`, place);
  }
  const tag = document.warnings.find((warning) => warning.code === 'TAG_RESOLVE_FAILED');
  if (tag !== undefined) throw at('invalid_yaml', 'The YAML uses a tag of its own (!…), which is not read.', tag.linePos?.[0]);
  warnOfTwins(loaded, document, text, warnings);
  keepVersionText(loaded, document);
  if (REWRITTEN.test(text)) keepTextValues(loaded, document);
  let circles = 0;
  return valuesOf(loaded, document, text, limits, (name, offset) => {
    circles += 1;
    if (circles > MOST_TWINS) return;
    const message = `The alias ${JSON.stringify(name.slice(0, 80))} on line ${lineAt(text, offset)} stands inside its own anchor; it is read as an empty object. Use a $ref.`;
    warnings.push({ code: 'circular_alias', message });
  });
}

/** A closing bracket that is indented too little is against YAML 1.2 and in the field (Docker Engine); one that is missing is a mistake. */
function lenient({ code, message, pos }: { code: string; message: string; pos: [number, number] }, source: string): boolean {
  return code === 'BAD_INDENT' && /flow (map|sequence)/i.test(message) && /^\s*[\]}]/.test(source.slice(pos[0], pos[0] + 500));
}

function at(code: string, message: string, place: { line: number; col: number } | undefined): DocumentError {
  return new DocumentError(code, message, place === undefined ? {} : { line: place.line, column: place.col });
}

function warnOfTwins(
  yaml: Yaml,
  document: ReturnType<Yaml['parseDocument']>,
  text: string,
  warnings: { code: string; message: string }[],
): void {
  let left = MOST_TWINS;
  yaml.visit(document, {
    Map(_, { items }) {
      const seen = new Set<string>();
      for (const { key } of items) {
        // A merge key, which may stand again, is a symbol.
        if (!yaml.isScalar(key) || typeof key.value === 'symbol') continue;
        const name = String(key.value);
        if (seen.has(name) && left > 0) {
          left -= 1;
          warnings.push(twinWarning(name, lineAt(text, key.range?.[0] ?? 0)));
        }
        seen.add(name);
      }
    },
  });
}

/** `version: 1.10` is text, whatever YAML makes of it. */
function keepVersionText(yaml: Yaml, document: ReturnType<Yaml['parseDocument']>): void {
  for (const path of [['openapi'], ['swagger'], ['info', 'version']]) {
    const node: unknown = document.getIn(path, true);
    if (yaml.isScalar(node) && typeof node.value === 'number' && node.source !== undefined) node.value = node.source;
  }
}

/** Numbers that would be written differently than they stand, such as 1.10, 007 and 1e3. */
const REWRITTEN = /[\s[,:-][-+]?(?:\d+\.\d*0|0\d+|\d+(?:\.\d+)?e[-+]?\d+|0[xo][\da-f]+|\d{16,})\s*(?:[,\]}#\n\r]|$)/i;
const VALUES = ['default', 'enum', 'const', 'example'];

/** What stands as the value of a text or of a server variable is text, as it stands: `default: 1.10`. */
function keepTextValues(yaml: Yaml, document: ReturnType<Yaml['parseDocument']>): void {
  const keep = (node: unknown): void => {
    if (yaml.isScalar(node) && typeof node.value === 'number' && node.source !== undefined) node.value = node.source;
    else if (yaml.isSeq(node)) node.items.forEach(keep);
  };
  const isVariable = (path: readonly unknown[]): boolean => {
    const owner = path.at(-3);
    return yaml.isPair(owner) && yaml.isScalar(owner.key) && owner.key.value === 'variables';
  };
  yaml.visit(document, {
    Map(_, node, path) {
      if (node.get('type') === 'string' || isVariable(path)) for (const key of VALUES) keep(node.get(key, true));
    },
  });
}
