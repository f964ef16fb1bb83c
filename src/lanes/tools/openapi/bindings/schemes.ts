import { scheme2 } from '../document/swagger2.ts';
import type { Node, Tree } from '../document/tree.ts';
import { at, isNode, isText, listOf, OperationFault, own } from '../document/tree.ts';
import type { SchemeUse, SecurityScheme } from '../../../../upstreams/auth/signers-of-schemes.ts';
import type { OperationSecurity } from '../types.ts';

/** Reads what credentials operations want. */
export class SecurityReader {
  readonly #tree: Tree;
  readonly #base: string;
  readonly #schemes = new Map<string, SecurityScheme>();
  readonly #declared: Node;
  readonly #documentWide: OperationSecurity;

  /** `base`: the address that relative token endpoints are resolved against, or empty. */
  constructor(tree: Tree, base: string) {
    this.#tree = tree;
    this.#base = base;
    const components = tree.root['components'];
    const declared = tree.swagger ? tree.root['securityDefinitions'] : isNode(components) ? components['securitySchemes'] : undefined;
    this.#declared = isNode(declared) ? declared : {};
    this.#documentWide = { alternatives: this.#alternatives(tree.root['security'], '/security'), open: false };
  }

  /** The operation's own say, else the document's. */
  of(operation: Node, pointer: string): OperationSecurity {
    const said = operation['security'];
    if (!Array.isArray(said)) return this.#documentWide;
    return { alternatives: this.#alternatives(said, at(pointer, 'security')), open: said.length === 0 };
  }

  /** Token endpoint of the first client-credentials flow. */
  tokenUrl(): string | undefined {
    for (const name of Object.keys(this.#declared)) {
      const scheme = this.#scheme(name, '');
      if (scheme.type === 'oauth2' && scheme.tokenUrl !== undefined) return scheme.tokenUrl;
    }
    return undefined;
  }

  #alternatives(said: unknown, pointer: string): SchemeUse[][] {
    return listOf(said)
      .filter(isNode)
      .map((requirement) =>
        Object.entries(requirement).map(([name, scopes]) => ({
          name,
          scopes: listOf(scopes).filter(isText),
          scheme: this.#scheme(name, pointer),
        })),
      );
  }

  #scheme(name: string, pointer: string): SecurityScheme {
    let scheme = this.#schemes.get(name);
    if (scheme === undefined) {
      scheme = this.#read(name, pointer);
      this.#schemes.set(name, scheme);
    }
    return scheme;
  }

  #read(name: string, pointer: string): SecurityScheme {
    const declared = own(this.#declared, name);
    if (declared === undefined) {
      this.#tree.warn(pointer, 'unknown_scheme', `The document declares no security scheme "${name}".`);
      return { type: 'unknown' };
    }
    let definition: Node;
    try {
      definition = this.#tree.follow(declared, pointer);
    } catch (error) {
      if (!(error instanceof OperationFault)) throw error;
      this.#tree.warn(pointer, error.code, error.message);
      return { type: 'unknown' };
    }
    if (this.#tree.swagger) definition = scheme2(definition);
    const { type, in: place, name: wire, scheme, flows } = definition;
    if (type === 'apiKey' && isText(wire) && (place === 'query' || place === 'header' || place === 'cookie'))
      return { type, in: place, name: wire };
    if (type === 'http' && isText(scheme)) return { type, scheme: scheme.toLowerCase() };
    if (type === 'oauth2') {
      const flow = isNode(flows) ? flows['clientCredentials'] : undefined;
      const tokenUrl = isNode(flow) && isText(flow['tokenUrl']) ? this.#absolute(flow['tokenUrl']) : undefined;
      return { type, ...(tokenUrl !== undefined && { tokenUrl }) };
    }
    return { type: type === 'openIdConnect' || type === 'mutualTLS' ? type : 'unknown' };
  }

  #absolute(address: string): string | undefined {
    const url = URL.parse(address, this.#base === '' ? undefined : this.#base);
    return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') ? url.href : undefined;
  }
}
