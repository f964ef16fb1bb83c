import type { Node, Tree } from '../document/tree.ts';
import { isNode, isText, listOf } from '../document/tree.ts';

/** Which ways from a schema to others that judge the same value: all that must fit (`allOf`), choices, or both. */
export type Ways = 'all' | 'choices' | 'both';

const KEYWORDS: Readonly<Record<Ways, readonly string[]>> = {
  all: ['allOf'],
  choices: ['anyOf', 'oneOf'],
  both: ['allOf', 'anyOf', 'oneOf'],
};

/** Parts and branches of one schema that are looked at; a larger one is taken as it is written. */
const MOST_PARTS = 200;

/** `start` and what judges the same value with it, by references and the `keywords`, each once. */
export function* inPlace(tree: Tree, start: Node, keywords: readonly string[]): Generator<Node> {
  const found = new Set<unknown>([start]);
  for (const node of found) {
    if (!isNode(node)) continue;
    yield node;
    const target = isText(node['$ref']) ? [tree.target(node['$ref'])] : [];
    for (const part of [...target, ...keywords.flatMap((keyword) => listOf(node[keyword]))]) if (found.size < MOST_PARTS) found.add(part);
  }
}

/**
 * Finds schemas that lead back to themselves without a step into the value (`Pet` has `oneOf: [Cat]`, `Cat` has `allOf: [Pet]`). Written as they
 * stand, a validator would never come to an end.
 */
export class InPlaceCycles {
  readonly #tree: Tree;
  readonly #known: Readonly<Record<Ways, Map<Node, boolean>>> = { all: new Map(), choices: new Map(), both: new Map() };

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  has(start: Node, ways: Ways): boolean {
    let known = this.#known[ways].get(start);
    if (known === undefined) {
      known = this.#returns(start, ways);
      this.#known[ways].set(start, known);
    }
    return known;
  }

  #returns(start: Node, ways: Ways): boolean {
    const seen = new Set<Node>();
    const waiting = [start];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      for (const next of this.#next(node, ways)) {
        if (next === start) return true;
        if (!seen.has(next)) {
          seen.add(next);
          waiting.push(next);
        }
      }
    }
    return false;
  }

  *#next(node: Node, ways: Ways): Generator<Node> {
    // A reference with others beside it is another way to write allOf.
    if (ways !== 'choices' || Object.keys(node).length === 1) yield* this.#target(node);
    for (const keyword of KEYWORDS[ways]) {
      for (const part of listOf(node[keyword])) {
        if (!isNode(part)) continue;
        if (isText(part['$ref']) && Object.keys(part).length === 1) yield* this.#target(part);
        else yield part;
      }
    }
  }

  *#target(node: Node): Generator<Node> {
    const reference = node['$ref'];
    if (!isText(reference) || !reference.startsWith('#')) return;
    const target = this.#tree.target(reference);
    if (isNode(target)) yield target;
  }
}
