import { isMap, isSeq, parseDocument, YAMLMap, type Document, type YAMLSeq } from 'yaml';
import { CommandError } from './settings.ts';

const KEY = 'x-hubgate-examples';
/** Methods that are keys of a path item; others stand under `additionalOperations` (OpenAPI 3.2). */
const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query']);

/** An operation by its place in the document. */
export interface OperationPlace {
  /** Upper case, but for those that OpenAPI does not name. */
  readonly method: string;
  /** The key under `paths`. */
  readonly path: string;
}

/** An overlay with example requests, one action for each operation. What else stands in the file stays, comments too. */
export class ExampleOverlay {
  readonly #document: Document;
  readonly #actions: YAMLSeq;

  /** Reads the text of a file; without one it is a new overlay for `service`. Throws CommandError, which names `file`, for what is no overlay. */
  constructor(text: string | undefined, file: string, service: string) {
    this.#document = parseDocument(text ?? header(service), { logLevel: 'error' });
    const [error] = this.#document.errors;
    const actions: unknown = error === undefined && isMap(this.#document.contents) ? this.#document.get('actions') : undefined;
    if (!isSeq(actions))
      throw new CommandError(
        `${file} is not an overlay with a list of actions${error === undefined ? '' : `: ${error.message}`}. Repair or move it.`,
      );
    this.#actions = actions;
  }

  /** Sets the requests of an operation, in place of those that the file has for it. */
  put(place: OperationPlace, examples: readonly string[]): void {
    const target = targetOf(place);
    const list = this.#document.createNode(examples);
    for (const action of this.#actions.items) {
      if (!isMap(action) || action.get('target') !== target) continue;
      const update: unknown = action.get('update');
      if (isMap(update) && update.has(KEY)) return update.set(KEY, list);
    }
    const action = new YAMLMap();
    action.set('target', target);
    action.set('update', this.#document.createNode({ [KEY]: examples }));
    this.#actions.flow = false;
    this.#actions.add(action);
  }

  toString(): string {
    return this.#document.toString({ lineWidth: 0 });
  }
}

/** A JSONPath (RFC 9535) that selects the operation. */
function targetOf({ method, path }: OperationPlace): string {
  const key = method.toLowerCase();
  const operation = METHODS.has(key) ? `.${key}` : `.additionalOperations${quoted(method)}`;
  return `$.paths${quoted(path)}${operation}`;
}

function quoted(name: string): string {
  const escaped = name
    .replaceAll(/['\\]/g, String.raw`\$&`)
    // oxlint-disable-next-line no-control-regex -- RFC 9535 wants them escaped
    .replaceAll(/[\u0000-\u001F]/g, (char) => String.raw`\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `['${escaped}']`;
}

function header(service: string): string {
  return `# Requests that people make in their own words, by which search finds each tool. Written by "hubgate examples"; read them and edit them freely.
overlay: 1.0.0
info: { title: Example requests of ${service}, version: 1.0.0 }
actions: []
`;
}
