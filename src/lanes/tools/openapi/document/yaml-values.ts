import type { Document, Pair } from 'yaml';
import type { DocumentLimits } from '../types.ts';
import { DocumentError } from '../types.ts';

type Yaml = typeof import('yaml');

/** Told of an alias inside its own anchor, and of its offset in the text. */
type OnCircle = (name: string, offset: number) => void;

/** Pairs that merge keys (`<<`) may copy in one document. */
const MOST_MERGED = 1_000_000;

/** A node with an anchor. */
interface Anchor {
  readonly within: Anchor | undefined;
  value: unknown;
  /** It is being read: an alias of it would contain itself. */
  open: boolean;
  /** How often its content stands in the document when every alias is written out, besides the first time. */
  uses: number;
}

/**
 * A parsed YAML document as values, in time linear to its text. Aliases share their object, and merge keys copy its pairs; an alias inside its own anchor, which no
 * JSON has, is an empty object, and `onCircle` is told. Throws DocumentError `too_expensive` when one anchor is used more often than
 * `limits.aliases`, `invalid_yaml` for an alias without an anchor and for a merge key without an object.
 */
export function valuesOf(yaml: Yaml, document: Document, text: string, limits: DocumentLimits, onCircle: OnCircle): unknown {
  return new Values(yaml, text, limits, onCircle).read(document.contents);
}

/** The line of an offset, from 1. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

class Values {
  readonly #yaml: Yaml;
  readonly #text: string;
  readonly #limits: DocumentLimits;
  readonly #onCircle: OnCircle;
  readonly #anchors = new Map<string, Anchor>();
  readonly #aliases: { readonly of: Anchor; readonly within: Anchor | undefined }[] = [];
  /** The innermost anchor around what is being read. */
  #within: Anchor | undefined;
  #merged = 0;

  constructor(yaml: Yaml, text: string, limits: DocumentLimits, onCircle: OnCircle) {
    this.#yaml = yaml;
    this.#text = text;
    this.#limits = limits;
    this.#onCircle = onCircle;
  }

  read(root: unknown): unknown {
    const value = this.#value(root);
    this.#countUses();
    return value;
  }

  #value(node: unknown): unknown {
    const yaml = this.#yaml;
    if (yaml.isAlias(node)) return this.#aliased(node.source, node.range?.[0] ?? 0);
    const name = yaml.isScalar(node) || yaml.isCollection(node) ? node.anchor : undefined;
    if (name === undefined) return this.#content(node);
    const anchor: Anchor = { within: this.#within, value: undefined, open: true, uses: 0 };
    this.#anchors.set(name, anchor);
    this.#within = anchor;
    anchor.value = this.#content(node);
    this.#within = anchor.within;
    anchor.open = false;
    return anchor.value;
  }

  #content(node: unknown): unknown {
    const yaml = this.#yaml;
    if (yaml.isScalar(node)) {
      // Dates and bytes, which only a tag of YAML 1.1 gives, are the texts that they stand as.
      return typeof node.value === 'object' && node.value !== null ? (node.source ?? null) : node.value;
    }
    if (yaml.isMap(node)) return this.#object(node.items);
    if (yaml.isSeq(node)) return node.items.map((item) => (yaml.isPair(item) ? this.#object([item]) : this.#value(item)));
    return null;
  }

  #object(items: readonly Pair[]): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (const { key, value } of items) {
      if (this.#yaml.isScalar(key) && typeof key.value === 'symbol') this.#merge(result, this.#value(value), key.range?.[0] ?? 0);
      else put(result, this.#key(key), this.#value(value));
    }
    return result;
  }

  #key(key: unknown): string {
    const value = this.#value(key);
    if (value === null) return '';
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
  }

  #merge(into: Record<string, unknown>, value: unknown, offset: number): void {
    for (const source of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (typeof source !== 'object' || source === null || Array.isArray(source))
        throw this.#refused(
          'invalid_yaml',
          offset,
          'The YAML cannot be read: a merge key (<<) must stand before an object, or a list of objects.',
        );
      for (const [key, item] of Object.entries(source)) {
        this.#merged += 1;
        if (this.#merged > MOST_MERGED)
          throw this.#refused('too_expensive', offset, `The YAML's merge keys (<<) copy more than ${MOST_MERGED} values.`);
        if (!Object.hasOwn(into, key)) put(into, key, item);
      }
    }
  }

  #aliased(name: string, offset: number): unknown {
    const of = this.#anchors.get(name);
    if (of === undefined)
      throw this.#refused(
        'invalid_yaml',
        offset,
        `The YAML cannot be read: the alias ${JSON.stringify(name.slice(0, 80))} has no anchor before it.`,
      );
    if (of.open) {
      this.#onCircle(name, offset);
      return {};
    }
    this.#aliases.push({ of, within: this.#within });
    return of.value;
  }

  #refused(code: string, offset: number, message: string): DocumentError {
    return new DocumentError(code, message, { line: lineAt(this.#text, offset) });
  }

  /** Last to first: an anchor stands before its aliases, so all of its uses are known when those inside it are counted. */
  #countUses(): void {
    for (const { of, within } of this.#aliases.toReversed()) {
      of.uses += 1;
      for (let around = within; around !== undefined; around = around.within) of.uses += around.uses;
      if (of.uses > this.#limits.aliases)
        throw new DocumentError('too_expensive', `The YAML's aliases write one anchor out more than ${this.#limits.aliases} times.`);
    }
  }
}

/** `__proto__` is a name like others. */
function put(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  else object[key] = value;
}
