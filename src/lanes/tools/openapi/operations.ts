import type { Node, Tree } from './document/tree.ts';
import { at, isNode, isText, OperationFault } from './document/tree.ts';
import type { LeftOut } from './types.ts';
import { DocumentError } from './types.ts';

/** One operation of the document, where it stands. */
export interface ListedOperation {
  readonly method: string;
  /** The key of `paths`. */
  readonly path: string;
  readonly identity: string;
  readonly pathItem: Node;
  readonly operation: Node;
  readonly pathPointer: string;
  readonly pointer: string;
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query'];
/** Characters of a path that servers take in a request line. */
const LONGEST_PATH = 8192;
const TOKEN = /^[A-Za-z][A-Za-z0-9!#$%&'*+.^_`|~-]{0,39}$/;

/** Every operation under `paths`, in the document's order; what cannot be one is added to `leftOut`. Throws DocumentError when there are too many. */
export function listOperations(tree: Tree, leftOut: LeftOut[]): ListedOperation[] {
  const found: ListedOperation[] = [];
  const { paths } = tree.root;
  if (paths !== undefined && !isNode(paths)) tree.warn('/paths', 'invalid_paths', 'There must be an object under "paths".');
  for (const path of isNode(paths) ? Object.keys(paths) : []) {
    if (/^x-/i.test(path)) continue;
    if (path.length > LONGEST_PATH) {
      const start = `${path.slice(0, 80)}…`;
      const message = `The path is longer than ${LONGEST_PATH} characters, which no server takes.`;
      leftOut.push({ method: '*', path: start, pointer: at('/paths', start), code: 'path_too_long', message });
      continue;
    }
    const pathPointer = at('/paths', path);
    const pathItem = readPathItem(tree, (paths as Node)[path], path, pathPointer, leftOut);
    if (pathItem === undefined) continue;
    if (!path.startsWith('/'))
      tree.warn(pathPointer, 'path_without_slash', `The path "${path.slice(0, 80)}" does not begin with "/"; it is read as if it did.`);
    for (const [method, operation, pointer] of methodsOf(pathItem, pathPointer)) {
      if (found.length + leftOut.length >= tree.limits.operations) {
        throw new DocumentError('too_many_operations', `The document has more than ${tree.limits.operations} operations.`);
      }
      const place = { method, path, pointer };
      if (!isNode(operation)) leftOut.push({ ...place, code: 'invalid_operation', message: 'An operation must be an object.' });
      else if (method === 'TRACE' || method === 'CONNECT' || !TOKEN.test(method)) {
        const message =
          method === 'TRACE' ? 'TRACE answers with the request, credentials included.' : `${method.slice(0, 40)} is not called.`;
        leftOut.push({ ...place, code: 'method_unsupported', message });
      } else found.push({ ...place, identity: `${method} ${path}`, pathItem, operation, pathPointer });
    }
  }
  if (found.length === 0 && leftOut.length === 0) tree.warn('/paths', 'no_operations', 'The document has no operations.');
  return found;
}

/** A path item with what it refers to under its own fields; when it cannot be read, its operations are not known, and the path is left out. */
function readPathItem(tree: Tree, value: unknown, path: string, pointer: string, leftOut: LeftOut[]): Node | undefined {
  try {
    if (!isNode(value) || !isText(value['$ref'])) return tree.follow(value, pointer);
    return { ...tree.follow(value, pointer), ...value };
  } catch (error) {
    if (!(error instanceof OperationFault)) throw error;
    leftOut.push({ method: '*', path, pointer, code: error.code, message: error.message });
    return undefined;
  }
}

function* methodsOf(pathItem: Node, pointer: string): Generator<[method: string, operation: unknown, pointer: string]> {
  for (const key of Object.keys(pathItem)) {
    if (METHODS.includes(key)) yield [key.toUpperCase(), pathItem[key], at(pointer, key)];
  }
  const { additionalOperations } = pathItem;
  if (!isNode(additionalOperations)) return;
  for (const key of Object.keys(additionalOperations)) {
    if (!METHODS.includes(key.toLowerCase()) || pathItem[key.toLowerCase()] === undefined) {
      yield [key, additionalOperations[key], at(pointer, 'additionalOperations', key)];
    }
  }
}
