export type Part = Readonly<Record<string, unknown>>;

export function isPart(value: unknown): value is Part {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function partsOf(value: unknown): Part[] {
  return Array.isArray(value) ? value.filter(isPart) : [];
}

/** Follows the references of a document that stay inside it. */
export class Resolver {
  readonly root: Part;
  /** Keywords beside `$ref` count. */
  readonly siblings: boolean;
  readonly #names = new Map<string, Part>();

  constructor(root: Part) {
    this.root = root;
    this.siblings = /^3\.[1-9]/.test(String(root['openapi']));
    // Only documents that name schemas by address or anchor need a walk.
    if (/"\$(id|anchor|dynamicAnchor)":/.test(JSON.stringify(root['components'] ?? {}))) this.#collect(root['components'], '');
  }

  /** What a reference object leads to, itself when it is none; undefined when it leads nowhere. */
  at(value: unknown): Part | undefined {
    let found = value;
    for (let hops = 0; hops < 30; hops += 1) {
      if (!isPart(found)) return undefined;
      const reference = found['$ref'] ?? found['$dynamicRef'];
      if (typeof reference !== 'string') return found;
      found = this.#target(reference);
    }
    return undefined;
  }

  #target(reference: string): unknown {
    if (!reference.startsWith('#/'))
      return this.#names.get(reference.replace(/^#$/, '')) ?? this.#names.get(reference.split('/').at(-1) ?? '');
    let found: unknown = this.root;
    for (const part of reference.slice(2).split('/')) {
      const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
      found = typeof found === 'object' && found !== null && Object.hasOwn(found, key) ? (found as Part)[key] : undefined;
    }
    return found;
  }

  #collect(value: unknown, base: string): void {
    if (typeof value !== 'object' || value === null) return;
    const part = value as Part;
    const { $id, $anchor, $dynamicAnchor } = part;
    const inner = typeof $id === 'string' ? $id : base;
    for (const name of [
      $id,
      $id && String($id).split('/').at(-1),
      $anchor && `#${String($anchor)}`,
      $dynamicAnchor && `#${String($dynamicAnchor)}`,
    ])
      if (typeof name === 'string' && name !== '' && !this.#names.has(name)) this.#names.set(name, part);
    for (const one of Object.values(part)) this.#collect(one, inner);
  }
}
