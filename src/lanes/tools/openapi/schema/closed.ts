import type { Node, Tree } from '../document/tree.ts';
import { isNode, isText, listOf } from '../document/tree.ts';
import type { HiddenProperties } from './hidden.ts';
import { inPlace } from './in-place.ts';
import { typesOf } from './keywords.ts';
import { BoundedPattern, usablePattern } from './patterns.ts';

/** A schema whose parts judge one object together; `any` when it could be every schema that a part is used in. */
export type Whole = Node | 'any';

interface Names {
  /** With what is said of each. */
  readonly declared: ReadonlyMap<string, readonly unknown[]>;
  readonly required: ReadonlySet<string>;
}

const ALL_OF = ['allOf'];
const EVERYWHERE = ['allOf', 'anyOf', 'oneOf'];

/**
 * Finds `additionalProperties` that refuse what the same object has by another part of its schema. Strictly, `false` there is about the properties
 * beside it alone, and then no value fits; whoever writes it means the whole.
 */
export class ClosedObjects {
  readonly #tree: Tree;
  readonly #hidden: HiddenProperties;
  readonly #names = new WeakMap<Node, Names>();
  readonly #alone = new WeakMap<Node, Node>();
  readonly #closing = new WeakMap<Node, readonly Node[]>();

  constructor(tree: Tree, hidden: HiddenProperties) {
    this.#tree = tree;
    this.#hidden = hidden;
  }

  /** Whether `node` refuses a property that `whole`, which it is a part of, has by other parts of allOf; what is part of nothing does not. */
  refusesPartsOf(whole: Whole | undefined, node: Node): boolean {
    if (whole === undefined || !isClosed(node)) return false;
    if (whole === 'any') return true;
    const alone = this.#withoutParts(node);
    for (const name of this.#refused(node, whole)) {
      const kind = this.#namesIn(whole).declared.has(name) ? 'declared' : 'required';
      if (!this.#namesIn(alone)[kind].has(name)) return true;
    }
    return false;
  }

  /** Whether `target`, a part of `whole`, refuses more of it than is made good where `target` stands alone. */
  isTooNarrow(target: Node, whole: Whole | undefined): boolean {
    if (whole === undefined) return false;
    let closing = this.#closing.get(target);
    if (closing === undefined) {
      closing = [...inPlace(this.#tree, target, ALL_OF)].filter((part) => isClosed(part) && !this.refusesPartsOf(target, part));
      this.#closing.set(target, closing);
    }
    return closing.some((part) => this.refusesPartsOf(whole, part));
  }

  /** Names that the choices of a closed object declare, or that it requires, and that it refuses nevertheless. */
  missingIn(node: Node): readonly string[] {
    return isClosed(node) ? [...this.#refused(node, node)] : [];
  }

  *#refused(node: Node, whole: Node): Generator<string> {
    const { declared, required } = this.#namesIn(whole);
    const { additionalProperties: rest, patternProperties } = node;
    const properties = isNode(node['properties']) ? node['properties'] : {};
    const patterns = isNode(patternProperties) ? Object.keys(patternProperties).map(usablePattern).filter(isText) : [];
    const tests = patterns.map((pattern) => new BoundedPattern(pattern, 'u'));
    const takes = (name: string): boolean =>
      (Object.hasOwn(properties, name) && !this.#hidden.has(properties[name])) || tests.some((one) => one.test(name));
    const types = this.#typesIn(rest);
    for (const [name, schemas] of declared) {
      if (!takes(name) && !schemas.every((schema) => isAmong(this.#typesIn(schema), types))) yield name;
    }
    // What is required and declared nowhere is not refused by a schema for the rest.
    if (rest === false) for (const name of required) if (!declared.has(name) && !takes(name)) yield name;
  }

  #withoutParts(node: Node): Node {
    if (node['allOf'] === undefined) return node;
    let alone = this.#alone.get(node);
    if (alone === undefined) {
      const { allOf: _, ...rest } = node;
      alone = rest;
      this.#alone.set(node, alone);
    }
    return alone;
  }

  /** The types that a schema and all parts of its allOf name. */
  #typesIn(schema: unknown): readonly string[] {
    return isNode(schema) ? [...inPlace(this.#tree, schema, ALL_OF)].flatMap((part) => typesOf(part) ?? []) : [];
  }

  #namesIn(whole: Node): Names {
    let names = this.#names.get(whole);
    if (names === undefined) {
      names = this.#read(whole);
      this.#names.set(whole, names);
    }
    return names;
  }

  #read(whole: Node): Names {
    const declared = new Map<string, unknown[]>();
    const required = new Set<string>();
    for (const part of inPlace(this.#tree, whole, EVERYWHERE)) {
      const properties = isNode(part['properties']) ? part['properties'] : {};
      for (const name of Object.keys(properties)) {
        if (this.#hidden.has(properties[name])) continue;
        const schemas = declared.get(name);
        if (schemas === undefined) declared.set(name, [properties[name]]);
        else schemas.push(properties[name]);
      }
      for (const name of listOf(part['required'])) if (isText(name)) required.add(name);
    }
    for (const name of this.#hidden.namesIn(whole, new Set())) required.delete(name);
    return { declared, required };
  }
}

/** Values of the declared types have one of `types` too. */
function isAmong(declared: readonly string[], types: readonly string[]): boolean {
  return declared.length > 0 && declared.every((type) => types.includes(type));
}

/** It does not take every property. */
function isClosed({ additionalProperties }: Node): boolean {
  return additionalProperties === false || (isNode(additionalProperties) && Object.keys(additionalProperties).length > 0);
}
