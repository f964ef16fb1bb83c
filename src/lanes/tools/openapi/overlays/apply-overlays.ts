import { decoded } from '../../../../core/file-reference.ts';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { DocumentLimits, OverlayText, ReportWarning } from '../types.ts';
import { DocumentError } from '../types.ts';
import { patternFault } from './pattern-fault.ts';
import type { Node } from '../document/tree.ts';
import { at, isNode, isText, listOf, own, shown } from '../document/tree.ts';
import { readYaml } from '../document/yaml.ts';

type JsonPath = typeof import('jsonpath-rfc9535');
type Yaml = typeof import('yaml');

/** Loaded when there is an overlay: most documents have none. */
const load = createRequire(import.meta.url);

const MOST_ACTIONS = 10_000;
/** Nodes that one action may select. */
const MOST_SELECTED = 100_000;
/** Nodes that all overlays of a document may put into it. */
const MOST_COPIED = 2_000_000;

type Json = { [key: string]: unknown };

/** A node that an action selects, and where it is. The root has no parent. */
interface Selected {
  readonly value: unknown;
  readonly parent: unknown;
  readonly key: string | number;
}

/**
 * Applies overlays (OpenAPI Overlay Specification 1.0, 1.1 and 1.2), in order, to the root of a document, which is changed in place. 1.0 is read by
 * the rules of 1.1, which say precisely what 1.0 leaves open: arrays are joined, values of different kinds are refused.
 * `place` says where the document came from, which `extends` must name. Returns what a person should know; throws DocumentError `invalid_overlay`,
 * with file and line, for an overlay that cannot be applied, and `too_expensive`.
 */
export function applyOverlays(
  root: Node,
  overlays: readonly OverlayText[],
  place: { readonly file?: string; readonly url?: string },
  limits: DocumentLimits,
): ReportWarning[] {
  const copier = new Copier();
  copier.separate(root);
  return overlays.flatMap((overlay) => new Application(root, overlay, copier).run(place, limits));
}

/** One overlay on its way into a document. */
class Application {
  readonly #root: Node;
  readonly #overlay: OverlayText;
  readonly #copier: Copier;
  readonly #warnings: ReportWarning[] = [];

  constructor(root: Node, overlay: OverlayText, copier: Copier) {
    this.#root = root;
    this.#overlay = overlay;
    this.#copier = copier;
  }

  run(place: { readonly file?: string; readonly url?: string }, limits: DocumentLimits): ReportWarning[] {
    const overlay = this.#read(limits);
    this.#checkTarget(overlay['extends'], overlay['$self'], place);
    const actions = listOf(overlay['actions']);
    if (actions.length === 0) throw this.#fault('/actions', 'There must be a list of actions, at least one.');
    if (actions.length > MOST_ACTIONS) throw this.#fault('/actions', `There are more than ${MOST_ACTIONS} actions.`);
    for (const [index, entry] of actions.entries()) this.#act(this.#actionOf(overlay, entry, at('/actions', index)), at('/actions', index));
    return this.#warnings;
  }

  #read(limits: DocumentLimits): Node {
    const { file, text } = this.#overlay;
    if (Buffer.byteLength(text) > limits.bytes) throw this.#fault('', `It is larger than ${Math.floor(limits.bytes / 1024 / 1024)} MB.`);
    let overlay: unknown;
    try {
      overlay = parsed(text.replace(/^\uFEFF/, ''), limits);
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      throw new DocumentError('invalid_overlay', error.message, { line: 1, ...error.toFault(), file });
    }
    if (!isNode(overlay)) throw this.#fault('', 'This is not an overlay: there must be an object at its root.');
    const version = overlay['overlay'];
    if (!/^1(\.[012](\.\d+)?)?$/.test(String(version))) {
      const message = version === undefined ? 'This is not an overlay: there is no "overlay" key.' : `Overlay ${shown(String(version))} is not read; 1.0, 1.1 and 1.2 are.`; // prettier-ignore
      throw this.#fault('/overlay', message);
    }
    return overlay;
  }

  /** A relative `extends` stands against `$self` (1.2), else the overlay's own place. An address cannot be compared with a file: it may well be its origin. */
  #checkTarget(given: unknown, self: unknown, { file, url }: { readonly file?: string; readonly url?: string }): void {
    if (given === undefined) return;
    if (!isText(given)) throw this.#fault('/extends', 'extends must be a URI reference.');
    const extended = isText(self) && /^https?:/i.test(self) ? (URL.parse(given, self)?.href ?? given) : given;
    const isAddress = /^https?:/i.test(extended);
    if (url !== undefined && isAddress) {
      if (URL.parse(extended)?.href !== URL.parse(url)?.href)
        throw this.#fault('/extends', `This overlay is for ${shown(extended)}, and the document came from ${shown(url)}.`);
    } else if (isAddress) {
      this.#warn(
        '/extends',
        'overlay_extends',
        `It says it is for ${shown(extended)}; whether this document came from there is not known.`,
      );
    } else if (file !== undefined) {
      const named = path.resolve(path.dirname(this.#overlay.file), decoded(extended.replace(/^file:\/\//, '')));
      if (named !== path.resolve(file)) throw this.#fault('/extends', `This overlay is for ${shown(extended)}, not for ${shown(file)}.`);
    }
  }

  /** The action itself, or the one of `components.actions` that it refers to (1.2). */
  #actionOf(overlay: Node, entry: unknown, pointer: string): Node {
    if (!isNode(entry)) throw this.#fault(pointer, 'An action must be an object.');
    const reference = entry['$ref'];
    if (reference === undefined) return entry;
    const name = /^#\/components\/actions\/([^/]+)$/.exec(String(reference))?.[1];
    const components = overlay['components'];
    const reusable = isNode(components) ? components['actions'] : undefined;
    const key = decoded(name ?? '').replaceAll('~1', '/').replaceAll('~0', '~'); // prettier-ignore
    const found = isNode(reusable) ? own(reusable, key) : undefined;
    const fields = isNode(found) ? found['fields'] : undefined;
    if (name === undefined || !isNode(fields)) throw this.#fault(at(pointer, '$ref'), `There is no action ${shown(String(reference))}.`);
    return { ...fields, target: entry['target'] };
  }

  #act(action: Node, pointer: string): void {
    const selected = this.#select(action['target'], at(pointer, 'target'));
    if (selected.length === 0)
      this.#warn(at(pointer, 'target'), 'overlay_no_match', `The target ${shown(String(action['target']))} matches nothing.`);
    else if (action['remove'] === true) this.#remove(selected, pointer);
    else if (Object.hasOwn(action, 'copy')) this.#copy(action, selected, pointer);
    else if (Object.hasOwn(action, 'update')) this.#update(selected, action['update'], at(pointer, 'update'));
    else this.#warn(pointer, 'overlay_no_effect', 'The action has neither update, copy nor remove: it does nothing.');
  }

  #select(expression: unknown, pointer: string): Selected[] {
    if (!isText(expression)) throw this.#fault(pointer, 'There must be a JSONPath here.');
    const { exec } = load('jsonpath-rfc9535') as JsonPath;
    const selected: Selected[] = [];
    // A list of selectors can name a node twice.
    const seen = new Map<unknown, Set<string | number>>();
    try {
      const fault = patternFault(expression);
      if (fault !== undefined) throw this.#fault(pointer, fault, 'too_expensive');
      exec(this.#root as never, expression, (value, steps) => {
        if (selected.length >= MOST_SELECTED)
          throw this.#fault(pointer, `The target selects more than ${MOST_SELECTED} nodes.`, 'too_expensive');
        const one = placed(this.#root, steps as readonly (string | number)[], value);
        const keys = seen.get(one.parent) ?? new Set();
        if (keys.has(one.key)) return;
        seen.set(one.parent, keys.add(one.key));
        selected.push(one);
      });
    } catch (error) {
      if (error instanceof DocumentError || error instanceof RangeError) throw error;
      throw this.#fault(pointer, `${shown(expression)} is not a JSONPath (RFC 9535): ${reasonOf(error as Error)}`);
    }
    return selected;
  }

  #remove(selected: readonly Selected[], pointer: string): void {
    // From the end of each list, so that the places before it stay what they are.
    for (const { parent, key } of selected.toSorted((a, b) => Number(b.key) - Number(a.key))) {
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else if (isNode(parent)) delete (parent as Json)[key];
      else throw this.#fault(at(pointer, 'target'), 'The whole document cannot be removed.');
    }
  }

  #copy(action: Node, selected: readonly Selected[], pointer: string): void {
    if (Object.hasOwn(action, 'update')) throw this.#fault(pointer, 'An action has either update or copy.');
    const source = this.#select(action['copy'], at(pointer, 'copy'));
    if (source.length !== 1) throw this.#fault(at(pointer, 'copy'), `copy must select one node; it selects ${source.length}.`);
    this.#update(selected, this.#copier.copy(source[0]?.value), at(pointer, 'copy'));
  }

  #update(selected: readonly Selected[], update: unknown, pointer: string): void {
    const [first] = selected;
    if (selected.some(({ value }) => kindOf(value) !== kindOf(first?.value)))
      throw this.#fault(pointer, 'The target selects nodes of different kinds; they must be all objects, all arrays or all plain values.');
    for (const { value, parent, key } of selected) {
      if (Array.isArray(value)) this.#append(value, update);
      else if (isNode(value)) {
        if (!isNode(update)) throw this.#fault(pointer, 'The target is an object, so there must be an object here.');
        this.#merge(value, update, pointer);
      } else {
        if (typeof update === 'object' && update !== null)
          throw this.#fault(pointer, `The target is a plain value, and this is ${kindOf(update)}.`);
        if (Array.isArray(parent)) parent[Number(key)] = update;
        else if (isNode(parent)) put(parent as Json, String(key), update);
      }
    }
  }

  #append(list: unknown[], update: unknown): void {
    if (Array.isArray(update)) for (const item of update as unknown[]) list.push(this.#copier.copy(item));
    else list.push(this.#copier.copy(update));
  }

  #merge(target: Node, update: Node, pointer: string): void {
    for (const [key, value] of Object.entries(update)) {
      const old = own(target, key);
      if (old === undefined || old === null) put(target as Json, key, this.#copier.copy(value));
      else if (Array.isArray(old) && Array.isArray(value)) this.#append(old, value);
      else if (isNode(old) && isNode(value)) this.#merge(old, value, at(pointer, key));
      // The specification's own examples leave keys empty that they do not change.
      else if (value === null && typeof old === 'object') continue;
      else if (kindOf(old) === kindOf(value)) put(target as Json, key, value);
      else throw this.#fault(at(pointer, key), `The document has ${kindOf(old)} here, and the overlay ${kindOf(value)}.`);
    }
  }

  #warn(pointer: string, code: string, message: string): void {
    this.#warnings.push({ pointer: `${this.#overlay.file}#${pointer}`, code, message });
  }

  #fault(pointer: string, message: string, code = 'invalid_overlay'): DocumentError {
    const { file, text } = this.#overlay;
    return new DocumentError(code, message, { pointer, file, line: lineOf(text, pointer) });
  }
}

/** Copies values, up to a bound, so that no two places of a document are the same object. */
class Copier {
  #copied = 0;

  copy(value: unknown): unknown {
    this.#copied += 1;
    if (this.#copied > MOST_COPIED)
      throw new DocumentError('too_expensive', `The overlays put more than ${MOST_COPIED} nodes into the document.`);
    if (Array.isArray(value)) return value.map((item) => this.copy(item));
    if (!isNode(value)) return value;
    const result: Json = {};
    for (const [key, item] of Object.entries(value)) put(result, key, this.copy(item));
    return result;
  }

  /** Aliases of YAML are one object in several places; an action changes one place. */
  separate(root: unknown): void {
    const seen = new Set<unknown>();
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      seen.add(value);
      for (const [key, child] of Object.entries(value)) {
        if (seen.has(child)) put(value as Json, key, this.copy(child));
        else visit(child);
      }
    };
    visit(root);
  }
}

/** Sets an own property, whatever the key is called. */
function put(target: Json, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

/** With its article, as messages say it. */
function kindOf(value: unknown): 'an object' | 'an array' | 'a plain value' {
  return Array.isArray(value) ? 'an array' : isNode(value) ? 'an object' : 'a plain value';
}

/** What the parser found where it could not go on; its own message lists all that could have stood there. */
function reasonOf(
  error: Error & { readonly found?: string | null; readonly location?: { readonly start: { readonly column: number } } },
): string {
  if (error.location === undefined) return error.message;
  return error.found ? `${shown(error.found)} at character ${error.location.start.column} cannot stand there.` : 'it ends too early.';
}

/** Steps as the library gives them: names are escaped as in normalized paths (RFC 9535, 2.7). */
function placed(root: Node, steps: readonly (string | number)[], value: unknown): Selected {
  const keys = steps.map((step) => (typeof step === 'number' ? step : unescaped(step)));
  let parent: unknown = keys.length === 0 ? undefined : root;
  for (const key of keys.slice(0, -1)) parent = (parent as Node)[key];
  return { value, parent, key: keys.at(-1) ?? '' };
}

const ESCAPES = new Map([
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

function unescaped(step: string): string {
  if (!step.includes('\\')) return step;
  return step.replace(/\\(?:u([0-9a-f]{4})|(.))/gs, (_, code: string | undefined, char: string) =>
    code === undefined ? (ESCAPES.get(char) ?? char) : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/** YAML reads JSON too, and says where it is wrong, but takes its time. */
function parsed(text: string, limits: DocumentLimits): unknown {
  if (/^\s*\{/.test(text)) {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      // Not JSON after all, or wrong: YAML knows the line.
    }
  }
  return readYaml(text, limits, []);
}

/** The line of what a pointer points at, or of the nearest thing around it that is there. */
function lineOf(text: string, pointer: string): number {
  const { parseDocument, LineCounter, isNode: isYamlNode } = load('yaml') as Yaml;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, logLevel: 'error' });
  const keys = pointer.split('/').slice(1).map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~')); // prettier-ignore
  for (let length = keys.length; length > 0; length -= 1) {
    const node: unknown = document.getIn(keys.slice(0, length).map((key) => (/^\d+$/.test(key) ? Number(key) : key)), true); // prettier-ignore
    if (isYamlNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}
