import type { Node, Tree } from '../document/tree.ts';
import { isNode } from '../document/tree.ts';
import { inPlace } from './in-place.ts';

/** Properties that one direction does not have: requests leave out what is readOnly, responses what is writeOnly. */
export class HiddenProperties {
  readonly #tree: Tree;
  readonly #flag: 'readOnly' | 'writeOnly';

  constructor(tree: Tree, direction: 'request' | 'response') {
    this.#tree = tree;
    this.#flag = direction === 'request' ? 'readOnly' : 'writeOnly';
  }

  has(property: unknown): boolean {
    let node = property;
    for (let hops = 0; hops < 20 && isNode(node); hops += 1) {
      if (node[this.#flag] === true) return true;
      const reference = node['$ref'];
      if (typeof reference !== 'string' || !reference.startsWith('#')) return false;
      node = this.#tree.target(reference);
    }
    return false;
  }

  /** Names of hidden properties in all parts of an allOf: no part may require what another one hides. */
  namesIn(node: Node, around: ReadonlySet<string>): ReadonlySet<string> {
    const names = new Set(around);
    for (const { properties } of inPlace(this.#tree, node, ['allOf'])) {
      if (isNode(properties)) for (const name of Object.keys(properties)) if (this.has(properties[name])) names.add(name);
    }
    return names;
  }
}
