import type { Node, Tree } from '../document/tree.ts';
import { isNode, isText, listOf, own, shown } from '../document/tree.ts';
import { alternatives, unwrapped, withNull } from './choices.ts';
import type { Whole } from './closed.ts';
import { ClosedObjects } from './closed.ts';
import type { Fragment } from './fragments.ts';
import { Fragments, referenceTo } from './fragments.ts';
import { HiddenProperties } from './hidden.ts';
import { InPlaceCycles } from './in-place.ts';
import { ANNOTATIONS, put, tidy } from './json.ts';
import type { Json } from './json.ts';
import { branches, NARROWING, onlyOf, setBytes, setEnum, setPlain, typesOf } from './keywords.ts';
import { usablePattern } from './patterns.ts';
import { unsoundIn } from './sound.ts';
import { tagged, tagOf } from './tags.ts';

const LONGEST_DESCRIPTION = 1000;

/** What the allOf around a schema says to it. */
interface Around {
  /** Names of properties that another part hides. */
  readonly hidden: ReadonlySet<string>;
  /** What it is a part of, the outermost. */
  readonly whole: Whole | undefined;
}

const ALONE: Around = { hidden: new Set(), whole: undefined };

/**
 * Reads OpenAPI schemas (2.0, 3.0, 3.1, 3.2) as JSON Schema 2020-12. Valid by construction: only known keywords are taken over, each with a value
 * of the type it must have. A reference stays one, as `#/$defs/NAME`; `fragment` gives what it stands for.
 */
export class SchemaReader {
  readonly #tree: Tree;
  readonly #hidden: HiddenProperties;
  readonly #closed: ClosedObjects;
  readonly #fragments = new Fragments();
  readonly #cycles: InPlaceCycles;
  #pointer = '';
  #references: Fragment[] = [];
  #around = ALONE;
  /** How often something was taken more widely than the document says it. */
  #loosened = 0;

  constructor(tree: Tree, direction: 'request' | 'response') {
    this.#tree = tree;
    this.#hidden = new HiddenProperties(tree, direction);
    this.#closed = new ClosedObjects(tree, this.#hidden);
    this.#cycles = new InPlaceCycles(tree);
  }

  /** `references` tells whether anything in `json` refers to a fragment. Throws OperationFault for references to other files. */
  read(schema: unknown, pointer: string): { json: Json; references: boolean } {
    return this.#read(schema, pointer, ALONE);
  }

  #read(schema: unknown, pointer: string, around: Around): { json: Json; references: boolean } {
    this.#pointer = pointer;
    this.#references = [];
    this.#around = around;
    let json = this.#schema(schema, 0);
    const fault = unsoundIn(json);
    if (fault !== undefined) {
      this.#references = [];
      json = this.#nothing('invalid_schema', `The schema cannot be used (${shown(fault)}); any value is taken.`);
    }
    return { json, references: this.#references.length > 0 };
  }

  fragment(reference: string): Fragment {
    return this.#fragments.get(reference);
  }

  expand(fragment: Fragment): Json {
    if (fragment.json !== undefined) return fragment.json;
    const { node, pointer, variant = {} } = fragment;
    const around: Around = variant.open === true ? { ...ALONE, whole: 'any' } : ALONE;
    const { json } = this.#read(variant.bare === true ? withoutChoices(node as Node) : node, pointer, around);
    const references = this.#references;
    const { tag } = variant;
    fragment.json = tag === undefined ? json : tagged(json, tag, (reference) => this.expand(this.fragment(reference)));
    fragment.references = references;
    return fragment.json;
  }

  #schema(value: unknown, depth: number): Json {
    if (value === undefined || value === true) return {};
    if (value === false) return { not: {} };
    if (!isNode(value)) return this.#nothing('invalid_schema', 'A schema must be an object.');
    if (depth > this.#tree.limits.depth) return this.#nothing('too_deep', `The schema is nested deeper than ${this.#tree.limits.depth}.`);
    const reference = value['$ref'] ?? value['$dynamicRef'];
    if (typeof reference === 'string') return this.#reference(value, reference, depth);
    return this.#keywords(value, depth);
  }

  #nothing(code: string, message: string): Json {
    this.#tree.warn(this.#pointer, code, message);
    this.#loosened += 1;
    return {};
  }

  #reference(node: Node, reference: string, depth: number): Json {
    let pointer = reference;
    let target = this.#tree.target(reference);
    for (
      let hops = 0;
      isNode(target) && typeof target['$ref'] === 'string' && (this.#tree.legacy || Object.keys(target).length === 1);
      hops += 1
    ) {
      if (hops > 20) return this.#nothing('circular_reference', `The reference ${shown(reference)} leads back to itself.`);
      pointer = target['$ref'];
      target = this.#tree.target(pointer);
    }
    if (target === undefined) return this.#nothing('dangling_reference', `The reference ${shown(pointer)} points at nothing.`);
    if (!isNode(target)) return this.#schema(target, depth + 1);
    const { $ref: _, $dynamicRef: __, ...siblings } = node;
    if (this.#tree.legacy || Object.keys(siblings).length === 0) {
      const out = this.#referTo(target, pointer);
      if (isText(siblings['description'])) out['description'] = tidy(siblings['description'], LONGEST_DESCRIPTION);
      return out;
    }
    const around = this.#around;
    this.#around = { ...around, whole: around.whole ?? node };
    const rest = this.#keywords(siblings, depth);
    const isSame = Object.keys(rest).every((key) => ANNOTATIONS.has(key));
    if (isSame) this.#around = around;
    const isCircle = !isSame && this.#cycles.has(target, 'both');
    const out = isCircle ? this.#part(node['$ref'] === undefined ? node : { $ref: pointer }, depth) : this.#referTo(target, pointer);
    this.#around = around;
    if (isSame) return Object.assign(out, rest);
    if (isCircle) return { allOf: [out, rest] };
    // Of these the whole schema tells what is evaluated, not the part they are written in.
    const { unevaluatedProperties, unevaluatedItems, ...part } = rest;
    return {
      allOf: [out, part],
      ...(unevaluatedProperties !== undefined && { unevaluatedProperties }),
      ...(unevaluatedItems !== undefined && { unevaluatedItems }),
    };
  }

  #refer(fragment: Fragment): Json {
    this.#references.push(fragment);
    return referenceTo(fragment);
  }

  /** The target as it stands, or, as a part of an allOf that it refuses properties of, open to them. */
  #referTo(target: Node, pointer: string, bare?: true): Json {
    const fragment = this.#fragments.of(target, pointer);
    const open = this.#closed.isTooNarrow(bare === true ? withoutChoices(target) : target, this.#around.whole);
    const variant = { ...(bare && { bare }), ...(open && { open }) };
    return this.#refer(bare || open ? this.#fragments.variant(fragment, variant, 'base') : fragment);
  }

  /** A part of allOf. What would lead back to itself is taken without its choices, or, when that does not help, left out. */
  #part(part: unknown, depth: number): Json {
    const target = this.#targetOf(part);
    if (target === undefined || !this.#cycles.has(target, 'both')) return this.#schema(part, depth);
    if (this.#cycles.has(target, 'all')) return this.#nothing('circular_reference', 'The schema must fit itself; that says nothing.');
    return this.#referTo(target, (part as Node)['$ref'] as string, true);
  }

  #branch(node: Node, branch: unknown, depth: number): Json {
    const target = this.#targetOf(branch);
    if (target !== undefined && this.#cycles.has(target, 'choices'))
      return this.#nothing('circular_reference', 'The choice leads back to itself.');
    const around = this.#around;
    this.#around = { ...around, whole: undefined };
    const json = this.#schema(branch, depth);
    this.#around = around;
    const tag = tagOf(this.#tree, node, branch);
    if (tag === undefined || typeof json['$ref'] !== 'string' || Object.keys(json).length > 1) return json;
    return this.#refer(this.#fragments.variant(this.fragment(json['$ref']), { tag }, tag.values[0] ?? ''));
  }

  #targetOf(part: unknown): Node | undefined {
    if (!isNode(part) || !isText(part['$ref'])) return undefined;
    const target = this.#tree.target(part['$ref']);
    return isNode(target) ? target : undefined;
  }

  #keywords(node: Node, depth: number): Json {
    let types = typesOf(node);
    if (types === undefined) {
      if (node['type'] !== 'any')
        this.#tree.warn(this.#pointer, 'unknown_type', `There is no type ${JSON.stringify(node['type'])?.slice(0, 60)}.`);
      types = [];
    }
    const out: Json = {};
    const nullable = node['nullable'] === true || node['x-nullable'] === true || (types.length > 1 && types.includes('null'));
    const kinds = nullable ? types.filter((type) => type !== 'null') : types;
    if (kinds.length === 1) out['type'] = kinds[0];
    const around = this.#around;
    if (Array.isArray(node['allOf'])) this.#around = { hidden: this.#hidden.namesIn(node, around.hidden), whole: around.whole ?? node };
    for (const key of Object.keys(node)) this.#keyword(out, node, key, depth);
    this.#around = around;
    let orNull = nullable;
    if (Array.isArray(node['enum'])) orNull = setEnum(out, node['enum'], kinds, nullable);
    if (out['additionalProperties'] !== undefined) this.#addMissing(out, node);
    if (kinds.length === 1) onlyOf(out, kinds[0]!);
    if (kinds.length === 0 && out['anyOf'] === undefined && out['allOf'] === undefined) {
      if (out['properties'] !== undefined || out['additionalProperties'] !== undefined) out['type'] = 'object';
      else if (out['items'] !== undefined) out['type'] = 'array';
    }
    if (out['type'] === 'array' && out['items'] === undefined) out['items'] = {};
    if (setBytes(out, node)) this.#loosened += 1;
    if (kinds.length > 1) alternatives(out, branches(out, kinds));
    const result = unwrapped(out);
    return orNull ? withNull(result) : result;
  }

  #keyword(out: Json, node: Node, key: string, depth: number): void {
    const value = node[key];
    if (key === 'pattern') this.#pattern(out, value);
    else if (!setPlain(out, node, key)) this.#applicator(out, node, key, value, depth);
    if (out[key] === undefined && NARROWING.has(key)) this.#loosened += 1;
  }

  #applicator(out: Json, node: Node, key: string, value: unknown, depth: number): void {
    switch (key) {
      case 'properties':
        if (isNode(value)) out[key] = this.#properties(value, depth);
        return;
      case 'required':
        if (Array.isArray(value)) this.#required(out, node, value);
        return;
      case 'items':
        if (Array.isArray(value)) out['prefixItems'] = value.map((item) => this.#inside(item, depth + 1));
        else out[key] = this.#inside(value, depth + 1);
        return;
      case 'additionalProperties':
        if (this.#hasOddPatterns(node) || this.#closed.refusesPartsOf(this.#around.whole, node)) return;
        if (value === false) out[key] = false;
        else if (isNode(value)) out[key] = this.#inside(value, depth + 1);
        return;
      case 'unevaluatedProperties':
      case 'unevaluatedItems':
        if (value === false && !this.#hasOddPatterns(node)) out[key] = false;
        return;
      case 'allOf':
        if (Array.isArray(value) && value.length > 0) out[key] = [...listOf(out[key]), ...value.map((one) => this.#part(one, depth + 1))];
        return;
      case 'prefixItems':
        if (Array.isArray(value) && value.length > 0) out[key] = value.map((one) => this.#inside(one, depth + 1));
        return;
      case 'anyOf':
      case 'oneOf':
        // Branches of oneOf overlap in the field, and then a right value would be refused.
        if (Array.isArray(value) && value.length > 0) alternatives(out, value.map((one) => this.#branch(node, one, depth + 1))); // prettier-ignore
        return;
      case 'not':
      case 'if':
        if (isNode(value)) this.#decider(out, key, value, depth);
        return;
      case 'then':
      case 'else':
      case 'contains':
      case 'propertyNames':
        if (isNode(value)) out[key] = this.#inside(value, depth + 1);
        return;
      case 'patternProperties':
      case 'dependentSchemas':
      case 'dependentRequired':
        if (isNode(value)) this.#map(out, key, value, depth);
        return;
      default:
    }
  }

  #properties(properties: Node, depth: number): Json {
    const out: Json = {};
    for (const name of Object.keys(properties)) {
      const property = properties[name];
      if (!this.#hidden.has(property)) put(out, name, this.#inside(property, depth + 1));
    }
    return out;
  }

  /** A schema for a part of the value: what is hidden around it has other properties. */
  #inside(value: unknown, depth: number): Json {
    const around = this.#around;
    this.#around = ALONE;
    const json = this.#schema(value, depth);
    this.#around = around;
    return json;
  }

  /** What takes more under `not` refuses more, and under `if` demands more: such a schema is left out when it may not be exactly the document's. */
  #decider(out: Json, key: string, value: Node, depth: number): void {
    const loosened = this.#loosened;
    const references = this.#references.length;
    const json = this.#inside(value, depth + 1);
    // What a reference leads to is read another time.
    if (this.#loosened === loosened && this.#references.length === references) out[key] = json;
    else this.#references.length = references;
  }

  #required(out: Json, node: Node, value: readonly unknown[]): void {
    const properties = isNode(node['properties']) ? node['properties'] : {};
    const names = [...new Set(value.filter(isText))].filter(
      (name) => !this.#around.hidden.has(name) && !this.#hidden.has(own(properties, name)),
    );
    if (names.length > 0) out['required'] = names;
  }

  /** What a closed object has by its choices, or requires, it takes. */
  #addMissing(out: Json, node: Node): void {
    const names = this.#closed.missingIn(node);
    if (names.length === 0) return;
    const properties: Json = { ...(out['properties'] as Json | undefined) };
    for (const name of names) put(properties, name, {});
    out['properties'] = properties;
    this.#loosened += 1;
  }

  /** A pattern for names that cannot be used: it is not known then which names are left for `additionalProperties`. */
  #hasOddPatterns({ patternProperties }: Node): boolean {
    return isNode(patternProperties) && Object.keys(patternProperties).some((name) => usablePattern(name) === undefined);
  }

  #map(out: Json, key: string, value: Node, depth: number): void {
    const map: Json = {};
    for (const name of Object.keys(value)) {
      const entry = value[name];
      if (key === 'dependentRequired') {
        if (Array.isArray(entry)) put(map, name, [...new Set(entry.filter(isText))]);
        continue;
      }
      const wire = key === 'patternProperties' ? usablePattern(name) : name;
      if (wire !== undefined) put(map, wire, this.#inside(entry, depth + 1));
    }
    if (Object.keys(map).length > 0) out[key] = map;
  }

  #pattern(out: Json, value: unknown): void {
    if (!isText(value)) return;
    const pattern = usablePattern(value);
    if (pattern === undefined) this.#tree.warn(this.#pointer, 'pattern_dropped', `The pattern ${shown(value)} is not one of ECMA-262.`);
    else out['pattern'] = pattern;
  }
}

function withoutChoices(node: Node): Node {
  const { anyOf: _, oneOf: __, discriminator: ___, ...rest } = node;
  return rest;
}
