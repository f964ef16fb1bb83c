import type { Node } from '../document/tree.ts';
import type { Json } from './json.ts';
import type { Tag } from './tags.ts';

/** A schema that others refer to. It is read when it is first needed. */
export interface Fragment {
  /** Key under `$defs`. */
  readonly name: string;
  readonly node: unknown;
  readonly pointer: string;
  /** It is the target with something more or less said. */
  readonly variant: Variant | undefined;
  json: Json | undefined;
  /** What `json` refers to, once for each reference. */
  references: readonly Fragment[];
  /** It contains itself, and so is never written inline; undefined as long as nobody looked. */
  recursive: boolean | undefined;
  /** Characters of JSON with all but recursion written out; known together with `recursive`. */
  size: number;
  /** `json` with all but recursion written out, shared by all who need it, and the fragments that it still refers to. */
  written: { readonly schema: Json; readonly recursions: readonly Fragment[] } | undefined;
}

export interface Variant {
  readonly tag?: Tag;
  /** Without its choices, where they would lead back to whoever refers to it. */
  readonly bare?: boolean;
  /** Without what refuses other properties, where another part of an allOf declares some. */
  readonly open?: boolean;
}

const DEFINITIONS = '#/$defs/';

/** All that schemas of one document refer to, each under a name of its own. */
export class Fragments {
  readonly #byNode = new Map<unknown, Fragment>();
  readonly #variants = new Map<string, Fragment>();
  readonly #byName = new Map<string, Fragment>();

  /** What `#/$defs/NAME` stands for. */
  get(reference: string): Fragment {
    const fragment = this.#byName.get(reference.slice(DEFINITIONS.length));
    if (fragment === undefined) throw new Error(`No fragment ${reference}`);
    return fragment;
  }

  /** The one for `node`, named after the last part of `pointer`. */
  of(node: Node, pointer: string): Fragment {
    let fragment = this.#byNode.get(node);
    if (fragment === undefined) {
      const word = pointer.slice(pointer.lastIndexOf('/') + 1);
      fragment = this.#add(word, node, pointer.startsWith('#') ? pointer.slice(1) : pointer, undefined);
      this.#byNode.set(node, fragment);
    }
    return fragment;
  }

  variant(fragment: Fragment, variant: Variant, word: string): Fragment {
    const key = `${fragment.name}\n${JSON.stringify(variant)}`;
    let found = this.#variants.get(key);
    if (found === undefined) {
      found = this.#add(`${fragment.name}_${word}`, fragment.node, fragment.pointer, variant);
      this.#variants.set(key, found);
    }
    return found;
  }

  #add(word: string, node: unknown, pointer: string, variant: Variant | undefined): Fragment {
    const plain = word.replace(/[^A-Za-z0-9_]+/g, '_').slice(0, 60).replace(/^_+/, '') || 'Schema'; // prettier-ignore
    let name = plain;
    for (let number = 2; this.#byName.has(name); number += 1) name = `${plain}_${number}`;
    const fragment = { name, node, pointer, variant, json: undefined, references: [], recursive: undefined, size: 0, written: undefined };
    this.#byName.set(name, fragment);
    return fragment;
  }
}

export const referenceTo = (fragment: Fragment): Json => ({ $ref: DEFINITIONS + fragment.name });
