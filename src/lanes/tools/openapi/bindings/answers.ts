import { response2 } from '../document/swagger2.ts';
import type { Node, Tree } from '../document/tree.ts';
import { at, isNode, OperationFault, own } from '../document/tree.ts';

/** What an operation answers with when all went well. */
export interface Answers {
  /** Value of the Accept header. */
  readonly accept: string;
  /** The schema of the JSON answers; of several a choice. */
  readonly schema: unknown;
}

const JSON_TYPE = /^[^;]*[/+]json\s*(;|$)/i;

/** Reads the 2xx and default responses. A response that cannot be read is a warning: calls work without it. */
export function readAnswers(tree: Tree, operation: Node, pointer: string): Answers {
  const { responses } = operation;
  const types = new Set<string>();
  const schemas = new Set<unknown>();
  for (const status of isNode(responses) ? Object.keys(responses).sort() : []) {
    if (!/^2(\d\d|XX)$/i.test(status)) continue;
    const content = contentOf(tree, operation, (responses as Node)[status], at(pointer, 'responses', status));
    for (const type of Object.keys(content)) {
      types.add(type);
      const media = own(content, type);
      if (JSON_TYPE.test(type) && isNode(media) && media['schema'] !== undefined) schemas.add(media['schema']);
    }
  }
  return { accept: acceptFor([...types]), schema: chosen(distinct(schemas)) };
}

function chosen(schemas: readonly unknown[]): unknown {
  return schemas.length > 1 ? { anyOf: schemas } : schemas[0];
}

/** Documents repeat one reference for every status. */
function distinct(schemas: Iterable<unknown>): unknown[] {
  const references = new Set<string>();
  return [...schemas].filter((schema) => {
    const reference = isNode(schema) && Object.keys(schema).length === 1 ? schema['$ref'] : undefined;
    if (typeof reference !== 'string') return true;
    if (references.has(reference)) return false;
    references.add(reference);
    return true;
  });
}

function contentOf(tree: Tree, operation: Node, declared: unknown, pointer: string): Node {
  try {
    const response = tree.follow(declared, pointer);
    const { content } = tree.swagger ? response2(tree, operation, response) : response;
    return isNode(content) ? content : {};
  } catch (error) {
    if (!(error instanceof OperationFault)) throw error;
    tree.warn(pointer, error.code, error.message);
    return {};
  }
}

/** JSON first, then what else is declared, then whatever there is: errors come in other types too. */
function acceptFor(types: readonly string[]): string {
  const plain = types.filter((type) => /^[\w!#$&^.+*-]+\/[\w!#$&^.+*-]+(\s*;[\x20-\x7e]*)?$/.test(type) && type !== '*/*');
  const json = plain.filter((type) => JSON_TYPE.test(type));
  const others = plain.filter((type) => !JSON_TYPE.test(type));
  const first = json.length + others.length === 0 ? ['application/json'] : [...json, ...others];
  return [...first.slice(0, 8), '*/*;q=0.1'].join(', ');
}
