import { decoded } from '../../../../../core/file-reference.ts';
import { bindTemplates, canonicalOf } from './dynamic.ts';
import type { Linked } from './dynamic.ts';
import type { Folder } from './folder.ts';
import type { Reference, Resource } from './survey.ts';
import { survey } from './survey.ts';
import type { Node, Tree } from '../tree.ts';
import { isNode, isText } from '../tree.ts';

/** Base of references in files whose address is unknown; nothing is ever fetched from it. */
const NOWHERE = 'document://folder/';

/**
 * Rewrites every reference of a document, and of the files that they lead to, to one that `Tree.target` finds: `#POINTER` in the document itself,
 * `#PATH#POINTER` in another file. References are resolved against the nearest `$id` (3.1 and later), against `$self`, else against the file that they
 * stand in; those that lead outside of `folder` stay as they are, and `tree.faults` tells why. Objects are changed in place.
 */
export function linkDocument(tree: Tree, folder: Folder, url: string | undefined): void {
  new Linker(tree, folder).run(url);
}

class Linker {
  readonly #tree: Tree;
  readonly #folder: Folder;
  readonly #resources = new Map<string, Resource>();
  readonly #files = new Map<string, Resource>();
  readonly #seen = new WeakSet<object>();
  readonly #waiting: Reference[] = [];
  readonly #linked: Linked[] = [];

  constructor(tree: Tree, folder: Folder) {
    this.#tree = tree;
    this.#folder = folder;
  }

  run(url: string | undefined): void {
    const { entry } = this.#folder;
    this.#add(entry, this.#tree.root, URL.parse(url ?? '')?.href ?? addressOf(entry));
    for (let reference = this.#waiting.pop(); reference !== undefined; reference = this.#waiting.pop()) this.#link(reference);
    if (!this.#tree.legacy) bindTemplates(this.#tree, this.#linked);
    this.#replaceMaps();
  }

  #add(path: string, root: unknown, uri: string): Resource {
    const self = !this.#tree.legacy && isNode(root) && isText(root['$self']) ? URL.parse(root['$self'].replace(/#.*$/s, ''), uri)?.href : undefined; // prettier-ignore
    const file = path === this.#folder.entry ? '' : nameOf(path);
    const whole: Resource = { uri: self ?? uri, node: root, file, pointer: '', anchors: new Map(), whole: undefined };
    this.#files.set(path, whole);
    for (const address of [self, uri]) if (address !== undefined && !this.#resources.has(address)) this.#resources.set(address, whole);
    if (file !== '') this.#tree.others.set(file, root);
    this.#survey(root, whole, '');
    return whole;
  }

  #survey(value: unknown, resource: Resource, pointer: string): void {
    const found = survey(value, resource, pointer, {
      modern: !this.#tree.legacy,
      seen: this.#seen,
      onResource: (one) => {
        if (!this.#resources.has(one.uri)) this.#resources.set(one.uri, one);
      },
    });
    for (const reference of found) this.#waiting.push(reference);
  }

  #link(reference: Reference): void {
    const { node, keyword, text, resource } = reference;
    const mark = text.indexOf('#');
    const address = mark < 0 ? text : text.slice(0, mark);
    const fragment = mark < 0 ? '' : text.slice(mark + 1);
    const target = address === '' ? resource : this.#resource(address, resource);
    if ('fault' in target) {
      if (!this.#tree.faults.has(text)) this.#tree.faults.set(text, target.fault);
      return;
    }
    const [pointer, owner] = this.#place(target, fragment);
    const canonical = canonicalOf(owner.file, pointer);
    if (canonical !== text) node[keyword] = canonical;
    this.#linked.push({ reference, canonical, target: owner });
    // What stands where no schema is looked for, such as below an extension, is one once a reference leads there.
    const value = pointer === '' ? undefined : valueAt(owner.node, pointer.slice(owner.pointer.length));
    if (typeof value === 'object' && value !== null && !this.#seen.has(value)) this.#survey(value, owner, pointer);
  }

  #resource(address: string, { uri, file, whole }: Resource): Resource | { readonly fault: string } {
    const absolute = URL.parse(address, uri)?.href;
    const known = absolute === undefined ? undefined : this.#resources.get(absolute);
    if (known !== undefined) return known;
    const from = file === '' ? this.#folder.entry : pathOf(file);
    // A relative reference below an `$id` that names no resource here means the file as well as it can.
    const found = this.#folder.resolve(from, address);
    if ('fault' in found) return found;
    if (found.path === this.#folder.entry) return this.#files.get(found.path) ?? whole ?? { fault: 'leads nowhere.' };
    const loaded = this.#files.get(found.path);
    if (loaded !== undefined) return loaded;
    const read = this.#folder.read(found.path);
    return 'fault' in read ? read : this.#add(found.path, read.root, addressOf(found.path));
  }

  /** The pointer in its file that a fragment means, and the resource that it is found in. */
  #place(target: Resource, fragment: string): [pointer: string, owner: Resource] {
    if (fragment === '') return [target.pointer, target];
    const { whole } = target;
    if (!fragment.startsWith('/')) {
      const name = decoded(fragment);
      const anchor = target.anchors.get(name) ?? whole?.anchors.get(name);
      // Without an anchor the reference dangles.
      return anchor === undefined ? [fragment, whole ?? target] : [anchor.pointer, target];
    }
    // Many documents give schemas an `$id` and go on to refer to the document's components as if they had none.
    const inside = whole === undefined || valueAt(target.node, fragment) !== undefined;
    return inside ? [target.pointer + fragment, target] : [fragment, whole];
  }

  /** `paths: { $ref: … }` and the like are not allowed and are in the field: the whole map stands in another file. */
  #replaceMaps(): void {
    const root = this.#tree.root as Record<string, unknown>;
    const { components } = root;
    for (const [owner, keys] of [
      [root, ['paths', 'components']],
      [isNode(components) ? (components as Record<string, unknown>) : {}, isNode(components) ? Object.keys(components) : []],
    ] as const) {
      for (const key of keys) {
        const map = owner[key];
        if (!isNode(map) || typeof map['$ref'] !== 'string' || !/^#[^/]/.test(map['$ref'])) continue;
        const { $ref, ...rest } = map;
        const target = this.#tree.target($ref);
        if (isNode(target)) owner[key] = { ...target, ...rest };
      }
    }
  }
}

function addressOf(path: string): string {
  return NOWHERE + path.split('/').map(encodeURIComponent).join('/');
}

/** A path as it stands in a rewritten reference. */
function nameOf(path: string): string {
  return path.replaceAll('%', '%25').replaceAll('#', '%23');
}

function pathOf(name: string): string {
  return name.replaceAll('%23', '#').replaceAll('%25', '%');
}

function valueAt(root: unknown, pointer: string): unknown {
  let value = root;
  for (const token of pointer.split('/').slice(1)) {
    const key = decoded(token).replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Node)[key];
  }
  return value;
}
