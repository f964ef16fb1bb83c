import { pointerToken } from '../../../../core/json.ts';
import { decoded } from '../../../../core/file-reference.ts';
import type { DocumentLimits, ReportWarning } from '../types.ts';
import { DocumentError } from '../types.ts';

/** An object of the document. Fixed keywords are read as properties; keys that come from the document only through `own`. */
export type Node = { readonly [key: string]: unknown };

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function own(node: Node, key: string): unknown {
  return Object.hasOwn(node, key) ? node[key] : undefined;
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Appends keys to a JSON pointer. */
export function at(pointer: string, ...keys: readonly (string | number)[]): string {
  let result = pointer;
  for (const key of keys) {
    const token = String(key);
    result += `/${/[~/]/.test(token) ? pointerToken(token) : token}`;
  }
  return result;
}

/** Why one operation cannot become a tool. */
export class OperationFault extends Error {
  readonly code: string;
  readonly pointer: string | undefined;

  constructor(code: string, message: string, pointer?: string) {
    super(message);
    this.name = 'OperationFault';
    this.code = code;
    this.pointer = pointer;
  }
}

/** More would hide what matters and cost memory. */
const MOST_WARNINGS = 1000;
/** Characters of one, and of the place it tells. */
const LONGEST_MESSAGE = 600;
const LONGEST_POINTER = 2000;

/** A parsed document: its dialect, its references, and what was noticed while reading it. */
export class Tree {
  readonly root: Node;
  /** `2.0`, `3.0.3`, `3.1.0`, … */
  readonly version: string;
  readonly limits: DocumentLimits;
  readonly warnings: ReportWarning[] = [];
  /**
   * Roots of what references lead to besides the document, by names without `#`: other files by their path, and copies of templates. A reference
   * to them is `#NAME#POINTER`.
   */
  readonly others = new Map<string, unknown>();
  /** Why a reference as the document has it leads to nothing, as the end of a sentence about it. */
  readonly faults = new Map<string, string>();
  readonly #targets = new Map<string, unknown>();
  /** Pointers that go on behind a reference, one within the other. */
  #nested = 0;

  constructor(root: Node, version: string, limits: DocumentLimits) {
    this.root = root;
    this.version = version;
    this.limits = limits;
  }

  get swagger(): boolean {
    return this.version.startsWith('2');
  }

  /** Schemas are OpenAPI's own (2.0, 3.0) rather than JSON Schema 2020-12. */
  get legacy(): boolean {
    return this.swagger || this.version.startsWith('3.0');
  }

  warn(pointer: string, code: string, message: string): void {
    if (this.warnings.length >= MOST_WARNINGS) return;
    this.warnings.push({ pointer: cut(pointer, LONGEST_POINTER), code, message: cut(message, LONGEST_MESSAGE) });
  }

  /** What `reference` points at; undefined when nothing is there. Throws OperationFault for what lies outside the document. */
  target(reference: string): unknown {
    if (this.#targets.has(reference)) return this.#targets.get(reference);
    if (this.#targets.size >= this.limits.references) {
      throw new DocumentError('too_expensive', `The document has more than ${this.limits.references} references.`);
    }
    // What leads back to itself on its way finds nothing.
    this.#targets.set(reference, undefined);
    const found = reference.startsWith('#') ? this.#find(reference) : this.#outside(reference);
    this.#targets.set(reference, found);
    return found;
  }

  /** Follows `$ref` from an object other than a schema to the object it stands for. Throws OperationFault when there is none. */
  follow(value: unknown, pointer: string): Node {
    let node = value;
    for (let hops = 0; isNode(node) && typeof node['$ref'] === 'string'; hops += 1) {
      const reference = node['$ref'];
      if (hops >= 20) throw new OperationFault('circular_reference', `The reference ${shown(reference)} leads back to itself.`, pointer);
      node = this.target(reference);
      if (node === undefined) {
        throw new OperationFault('dangling_reference', `The reference ${shown(reference)} points at nothing in this document.`, pointer);
      }
    }
    if (!isNode(node)) throw new OperationFault('invalid_object', 'There must be an object here.', pointer);
    return node;
  }

  #find(reference: string): unknown {
    if (reference === '#' || reference.startsWith('#/')) return this.#walk(this.root, reference.slice(1));
    const mark = reference.indexOf('#', 1);
    const name = reference.slice(1, mark < 0 ? undefined : mark);
    return this.others.has(name) ? this.#walk(this.others.get(name), mark < 0 ? '' : reference.slice(mark + 1)) : undefined;
  }

  #walk(root: unknown, pointer: string): unknown {
    if (pointer !== '' && !pointer.startsWith('/')) return undefined;
    let value = root;
    for (const token of pointer.split('/').slice(1)) {
      const key = decoded(token).replaceAll('~1', '/').replaceAll('~0', '~');
      // A pointer may go on behind a reference: the document means what stands there.
      if (isNode(value) && typeof value['$ref'] === 'string' && !Object.hasOwn(value, key)) value = this.#behind(value);
      if (Array.isArray(value)) value = /^\d+$/.test(key) ? value[Number(key)] : undefined;
      else if (isNode(value)) value = own(value, key);
      else return undefined;
    }
    return value;
  }

  #behind(node: Node): unknown {
    let value: unknown = node;
    this.#nested += 1;
    for (let hops = 0; hops < 20 && this.#nested < 20 && isNode(value) && typeof value['$ref'] === 'string'; hops += 1)
      value = this.target(value['$ref']);
    this.#nested -= 1;
    return value;
  }

  #outside(reference: string): never {
    this.#targets.delete(reference);
    const reason = this.faults.get(reference) ?? 'leads outside this document, and other files are not read.';
    throw new OperationFault('external_reference', `The reference ${shown(reference)} ${reason}`);
  }
}

/** A reference or other text of the document in a message: quoted, and cut. Without the mark before the names of `Tree.others`. */
export function shown(text: string): string {
  const reference = /^#[^/#]/.test(text) && text.includes('#', 1) ? text.slice(1) : text;
  return `"${cut(reference, 120)}"`;
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
