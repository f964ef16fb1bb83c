import type { Reference, Resource } from './survey.ts';
import type { Tree } from '../tree.ts';

/** A reference that has been rewritten. */
export interface Linked {
  readonly reference: Reference;
  readonly canonical: string;
  readonly target: Resource;
}

/** Copies of templates in one document; more are made by documents that were written to be expensive. */
const MOST_COPIES = 1000;
const MOST_NODES = 200_000;

/**
 * Binds `$dynamicRef` (JSON Schema 2020-12, 8.2.3.2) as far as it can be told without an instance: where a schema with dynamic anchors refers to another
 * resource that has dynamic references to such names, it gets a copy of that resource in which they lead to the anchors of the schema, the outermost
 * one first. Everywhere else they lead to the anchor beside them.
 */
export function bindTemplates(tree: Tree, linked: readonly Linked[]): void {
  const dynamic = linked.filter(({ reference }) => reference.keyword === '$dynamicRef');
  if (dynamic.length === 0) return;
  new Templates(tree, linked, dynamic).run();
}

class Templates {
  readonly #tree: Tree;
  readonly #linked: readonly Linked[];
  /** By the object that has the `$dynamicRef`. */
  readonly #names = new WeakMap<object, string>();
  readonly #byNode = new WeakMap<object, Linked>();
  /** Names that dynamic references in a resource lead to. */
  readonly #wanted = new Map<Resource, Set<string>>();
  readonly #copies = new Map<string, string>();
  #nodes = 0;

  constructor(tree: Tree, linked: readonly Linked[], dynamic: readonly Linked[]) {
    this.#tree = tree;
    this.#linked = linked;
    for (const one of linked) if (one.reference.keyword === '$ref') this.#byNode.set(one.reference.node, one);
    for (const { reference, target } of dynamic) {
      const name = reference.text.slice(reference.text.indexOf('#') + 1);
      if (target.anchors.get(name)?.dynamic !== true) continue;
      this.#names.set(reference.node, name);
      const names = this.#wanted.get(reference.resource) ?? new Set();
      this.#wanted.set(reference.resource, names.add(name));
    }
  }

  run(): void {
    for (const { reference, target, canonical } of this.#linked) {
      const { resource, node, keyword } = reference;
      if (keyword !== '$ref' || resource === target || target.whole === undefined) continue;
      const copy = this.#copyFor(target, anchorsOf(resource, new Map()));
      if (copy !== undefined) node['$ref'] = canonicalOf(copy, canonical.slice(startOf(target).length));
    }
  }

  /** The name of a copy of `target` for a scope (its names to the references that they lead to); undefined when the plain one will do. */
  #copyFor(target: Resource, scope: ReadonlyMap<string, string>): string | undefined {
    const wanted = [...(this.#wanted.get(target) ?? [])].filter((name) => scope.has(name)).sort();
    if (wanted.length === 0) return undefined;
    const key = JSON.stringify([startOf(target), wanted.map((name) => [name, scope.get(name)])]);
    const known = this.#copies.get(key);
    if (known !== undefined) return known;
    if (this.#copies.size >= MOST_COPIES) return undefined;
    const name = `template-${this.#copies.size + 1}/${target.uri.slice(target.uri.lastIndexOf('/') + 1).replace(/[#%]/g, '_')}`;
    this.#copies.set(key, name);
    this.#tree.others.set(name, this.#copy(target.node, target, name, anchorsOf(target, scope)));
    return name;
  }

  #copy(value: unknown, target: Resource, name: string, scope: ReadonlyMap<string, string>): unknown {
    if (typeof value !== 'object' || value === null || this.#nodes >= MOST_NODES) return value;
    this.#nodes += 1;
    if (Array.isArray(value)) return value.map((item) => this.#copy(item, target, name, scope));
    const copy = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#copy(item, target, name, scope)]));
    const bound = scope.get(this.#names.get(value) ?? '');
    if (bound !== undefined) copy['$dynamicRef'] = bound;
    const linked = this.#byNode.get(value);
    if (linked === undefined) return copy;
    const own = startOf(target);
    if (linked.target === target && linked.canonical.startsWith(own)) copy['$ref'] = canonicalOf(name, linked.canonical.slice(own.length));
    else {
      const other = linked.target.whole === undefined ? undefined : this.#copyFor(linked.target, scope);
      if (other !== undefined) copy['$ref'] = canonicalOf(other, linked.canonical.slice(startOf(linked.target).length));
    }
    return copy;
  }
}

/** A resource's dynamic anchors under those of the scope around it, which count more. */
function anchorsOf(resource: Resource, outer: ReadonlyMap<string, string>): Map<string, string> {
  const scope = new Map<string, string>();
  for (const [name, { pointer, dynamic }] of resource.anchors) {
    if (dynamic) scope.set(name, canonicalOf(resource.file, pointer));
  }
  for (const [name, reference] of outer) scope.set(name, reference);
  return scope;
}

function startOf({ file, pointer }: Resource): string {
  return canonicalOf(file, pointer);
}

/** How a reference to a place in a file is written; `file` is empty for the document itself. */
export function canonicalOf(file: string, pointer: string): string {
  return `#${file}${file !== '' && pointer !== '' ? '#' : ''}${pointer}`;
}
