import { server2 } from '../document/swagger2.ts';
import type { Node, Tree } from '../document/tree.ts';
import { isNode, listOf, own } from '../document/tree.ts';

/** OpenAPI Object, `servers`: the default where the document names none. */
const ROOT = '/';

/** Finds where operations are: the first server of the operation, the path or the document, its variables filled by their defaults. */
export class ServerReader {
  readonly #tree: Tree;
  readonly #address: string | undefined;
  readonly #documentWide: string;
  /** The document names no server of its own, or one by its own address. */
  readonly isRelative: boolean;

  /** `address`: the document's own, which relative servers are resolved against. */
  constructor(tree: Tree, address: string | undefined) {
    this.#tree = tree;
    this.#address = address;
    const server = tree.swagger ? server2(tree, undefined) : (this.#first(tree.root, '/servers') ?? ROOT);
    this.isRelative = !/^\s*(?:[a-z][a-z0-9+.-]*:|\/\/)|\{/i.test(server);
    this.#documentWide = this.#resolved(server);
  }

  /** Absolute; while the document's address is unknown a path, or empty for the root of it. */
  of(pathItem: Node, operation: Node, pointer: string): string {
    if (this.#tree.swagger) return operation['schemes'] === undefined ? this.#documentWide : this.#resolved(server2(this.#tree, operation));
    if (operation['servers'] === undefined && pathItem['servers'] === undefined) return this.#documentWide;
    const server = this.#first(operation, pointer) ?? this.#first(pathItem, pointer);
    return server === undefined ? this.#documentWide : this.#resolved(server);
  }

  get document(): string {
    return this.#documentWide;
  }

  #first(owner: Node, pointer: string): string | undefined {
    const [server] = listOf(owner['servers']);
    if (!isNode(server) || typeof server['url'] !== 'string') return undefined;
    const variables = isNode(server['variables']) ? server['variables'] : {};
    return server['url'].replace(/\{([^{}]{1,200})\}/g, (whole, name: string) => {
      const variable = own(variables, name);
      const value = isNode(variable) ? (variable['default'] ?? listOf(variable['enum'])[0]) : undefined;
      if (value !== undefined && value !== null && typeof value !== 'object') return String(value);
      this.#tree.warn(pointer, 'server_variable', `The server variable "${name}" has no default.`);
      return whole;
    });
  }

  #resolved(server: string): string {
    // Empty, it would mean the document itself, below which nothing is.
    const text = server.trim() || ROOT;
    const url = URL.parse(text, this.#address ?? (text.startsWith('//') ? 'https://host' : undefined));
    if (url === null) {
      if (/^[a-z][a-z0-9+.-]*:|\{/i.test(text)) return '';
      return `/${text.replace(/^\.?\/+/, '')}`.replace(/\/+$/, '');
    }
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      this.#tree.warn('/servers', 'server_scheme', `Servers of the scheme "${url.protocol.slice(0, 20)}" cannot be called.`);
      return '';
    }
    // A password in the address is no credential of this hub's.
    return `${url.protocol}//${url.host}${url.pathname}`.replace(/\/+$/, '');
  }
}
