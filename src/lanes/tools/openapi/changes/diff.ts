import type { Node } from '../document/tree.ts';
import { isNode, listOf, own } from '../document/tree.ts';
import { canonical, compareSchemas } from './compare-schemas.ts';
import type { SchemaDifference } from './compare-schemas.ts';
import type { CompiledOperation, CompiledService } from '../types.ts';

/** Whether a consumer notices: a call that was right may fail; a list of tools looks other; only the request behind the tool is another. */
export type Notice = 'breaking' | 'visible' | 'invisible';

export interface NamedOperation {
  readonly tool: string;
  readonly method: string;
  readonly path: string;
}

/** One thing that is other about an operation. */
export interface OperationChange {
  readonly code: string;
  readonly notice: Notice;
  readonly argument?: string;
  readonly message: string;
}

export interface ChangedOperation extends NamedOperation {
  /** The gravest of `changes`. */
  readonly notice: Notice;
  readonly changes: readonly OperationChange[];
}

/** What became of the operations of a document. Each list in the order of paths and methods. */
export interface ServiceChanges {
  readonly added: readonly NamedOperation[];
  readonly removed: readonly NamedOperation[];
  readonly changed: readonly ChangedOperation[];
}

/** How long one slice of `diffInSlices` may keep the loop, in milliseconds. */
const SLICE_MS = 5;
const GRAVITY: readonly Notice[] = ['invisible', 'visible', 'breaking'];

/**
 * What a consumer of `before` meets in `after`. Operations are the same by method and path, else by the name of the tool. The order of anything in
 * the documents does not matter; the same service has no changes.
 */
export function diffServices(before: CompiledService, after: CompiledService): ServiceChanges {
  const diff = new ServiceDiff(before, after);
  for (const pair of diff.pairs) diff.compare(pair);
  return diff.done();
}

/** The same, and the event loop goes on meanwhile. */
export async function diffInSlices(before: CompiledService, after: CompiledService): Promise<ServiceChanges> {
  const diff = new ServiceDiff(before, after);
  let since = performance.now();
  for (const pair of diff.pairs) {
    diff.compare(pair);
    if (performance.now() - since < SLICE_MS) continue;
    await new Promise(setImmediate);
    since = performance.now();
  }
  return diff.done();
}

/** `2 added, 1 removed, 3 changed`, the breaking ones told; empty when nothing changed. */
export function summaryOf({ added, removed, changed }: ServiceChanges): string {
  const breaking = changed.filter(({ notice }) => notice === 'breaking').length;
  const invisible = changed.filter(({ notice }) => notice === 'invisible').length;
  const kinds = [breaking > 0 ? `${breaking} breaking` : '', invisible > 0 ? `${invisible} that no consumer notices` : ''].filter(Boolean);
  return [
    added.length > 0 ? `${added.length} added` : '',
    removed.length > 0 ? `${removed.length} removed` : '',
    changed.length > 0 ? `${changed.length} changed${kinds.length > 0 ? ` (${kinds.join(', ')})` : ''}` : '',
  ]
    .filter(Boolean)
    .join(', ');
}

type Pair = readonly [CompiledOperation, CompiledOperation];

class ServiceDiff {
  readonly pairs: readonly Pair[];
  readonly #added: readonly CompiledOperation[];
  readonly #removed: readonly CompiledOperation[];
  readonly #changed: ChangedOperation[] = [];

  constructor(before: CompiledService, after: CompiledService) {
    const byIdentity = matched(before.operations, after.operations, ({ identity }) => identity);
    const byName = matched(byIdentity.left, byIdentity.right, nameOf);
    this.pairs = [...byIdentity.pairs, ...byName.pairs];
    this.#removed = byName.left;
    this.#added = byName.right;
  }

  compare([before, after]: Pair): void {
    const changes = changesOf(before, after);
    const notice = GRAVITY.findLast((one) => changes.some((change) => change.notice === one));
    if (notice !== undefined) this.#changed.push({ ...named(after), notice, changes });
  }

  done(): ServiceChanges {
    return {
      added: this.#added.map(named).sort(byPlace),
      removed: this.#removed.map(named).sort(byPlace),
      changed: this.#changed.sort(byPlace),
    };
  }
}

function matched(a: readonly CompiledOperation[], b: readonly CompiledOperation[], keyOf: (one: CompiledOperation) => string) {
  const rest = new Map(b.map((one) => [keyOf(one), one]));
  const left: CompiledOperation[] = [];
  const pairs: Pair[] = [];
  for (const one of a) {
    const other = rest.get(keyOf(one));
    if (other === undefined) left.push(one);
    else if (rest.delete(keyOf(one))) pairs.push([one, other]);
  }
  return { left, right: [...rest.values()], pairs };
}

function nameOf({ tool }: CompiledOperation): string {
  return tool.definition.name;
}

function named(operation: CompiledOperation): NamedOperation {
  return { tool: nameOf(operation), method: operation.method, path: operation.path };
}

function byPlace(a: NamedOperation, b: NamedOperation): number {
  const [first, second] = [`${a.path} ${a.method}`, `${b.path} ${b.method}`];
  return first < second ? -1 : first > second ? 1 : 0;
}

function changesOf(before: CompiledOperation, after: CompiledOperation): OperationChange[] {
  const changes: OperationChange[] = [];
  const tell = (code: string, notice: Notice, message: string): void => void changes.push({ code, notice, message });
  const [old, now] = [before.tool.definition, after.tool.definition];
  if (old.name !== now.name) tell('renamed', 'breaking', `The tool ${old.name} is called ${now.name} now.`);
  // Most operations of most documents are as they were, and comparing texts is quick.
  if (before.schemaText !== after.schemaText) changes.push(...argumentChanges(before, after));
  const ofArguments = changes.length;
  if (old.description !== now.description) tell('description', 'visible', 'The description is another.');
  if (old.title !== now.title) tell('title', 'visible', 'The title is another.');
  if (before.tool.risk !== after.tool.risk) tell('risk', 'visible', `The risk was ${before.tool.risk} and is ${after.tool.risk} now.`);
  if (differ([old.annotations, old.icons], [now.annotations, now.icons])) tell('annotations', 'visible', 'Hints or icons are others.');
  changes.push(...outputChanges(old.outputSchema, now.outputSchema));
  if (before.identity !== after.identity)
    tell('moved', 'invisible', `${before.method} ${before.path} is ${after.method} ${after.path} now.`);
  else if (ofArguments === 0 && differ(requestOf(before), requestOf(after)))
    tell('request', 'invisible', 'Where or how the request is sent is other.');
  if (differ([...before.tool.tags].sort(), [...after.tool.tags].sort()))
    tell('tags', 'invisible', 'The tags are others; selections by tag may take it in or leave it out.');
  if (differ(before.tool.examples, after.tool.examples))
    tell('examples', 'invisible', 'The example requests are others; a search may find it by other words.');
  return changes;
}

function differ(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) !== JSON.stringify(b) && canonical(a) !== canonical(b);
}

function requestOf({ server, fixedQuery, parameters, body, security, accept }: CompiledOperation): unknown {
  return [server, fixedQuery, parameters.toSorted((a, b) => (a.key < b.key ? -1 : 1)), body, security, accept];
}

function argumentChanges(before: CompiledOperation, after: CompiledOperation): OperationChange[] {
  const [a, b] = [before.tool.definition.inputSchema, after.tool.definition.inputSchema] as [Node, Node];
  const [old, now] = [argumentsOf(a), argumentsOf(b)];
  const [neededBefore, needed] = [new Set(listOf(a['required'])), new Set(listOf(b['required']))];
  const renamed = renamedArguments(before, after);
  const changes: OperationChange[] = [];
  const tell = (code: string, notice: Notice, argument: string, message: string): void =>
    void changes.push({ code, notice, argument, message });
  const compare = (from: string, to: string): void => {
    if (needed.has(to) && !neededBefore.has(from)) tell('argument_required', 'breaking', to, `The argument ${to} is required now.`);
    if (!needed.has(to) && neededBefore.has(from)) tell('argument_optional', 'visible', to, `The argument ${to} may be left out now.`);
    const found = compareSchemas(own(old, from), own(now, to), { before: a, after: b });
    const change = schemaChange(found);
    if (change !== undefined) tell(`argument_${change.code}`, change.notice, to, `The argument ${to}${change.message}`);
  };
  for (const key of Object.keys(old).sort()) {
    const to = renamed.get(key);
    if (Object.hasOwn(now, key)) compare(key, key);
    else if (to === undefined) tell('argument_removed', 'breaking', key, `The argument ${key} is gone.`);
    else {
      tell('argument_renamed', 'breaking', to, `The argument ${key} is called ${to} now.`);
      compare(key, to);
    }
  }
  const taken = new Set(renamed.values());
  for (const key of Object.keys(now).sort()) {
    if (Object.hasOwn(old, key) || taken.has(key)) continue;
    if (needed.has(key)) tell('argument_added_required', 'breaking', key, `There is a new argument ${key}, and it is required.`);
    else tell('argument_added', 'visible', key, `There is a new argument ${key}.`);
  }
  return changes;
}

function argumentsOf(schema: Node): Node {
  return isNode(schema['properties']) ? schema['properties'] : {};
}

/** Arguments that go to the same place on the wire under another key, old key to new. */
function renamedArguments(before: CompiledOperation, after: CompiledOperation): Map<string, string> {
  const keys = new Map(after.parameters.map(({ place, name, key }) => [`${place}:${name}`, key]));
  const kept = new Set(after.parameters.map(({ key }) => key));
  const result = new Map<string, string>();
  for (const { place, name, key } of before.parameters) {
    const now = keys.get(`${place}:${name}`);
    if (now !== undefined && now !== key && !kept.has(key)) result.set(key, now);
  }
  if (before.body !== undefined && after.body !== undefined && before.body.key !== after.body.key && !kept.has(before.body.key))
    result.set(before.body.key, after.body.key);
  return result;
}

/** The gravest differences of a schema as one change; what it says begins with a blank. */
function schemaChange(found: readonly SchemaDifference[]): { code: string; notice: Notice; message: string } | undefined {
  const of = (...effects: readonly string[]): SchemaDifference[] => found.filter(({ effect }) => effects.includes(effect));
  const [narrower, wider, texts] = [of('narrower', 'either'), of('wider'), of('text')];
  if (narrower.length > 0) return { code: 'narrowed', notice: 'breaking', message: told(narrower) };
  if (wider.length > 0) return { code: 'widened', notice: 'visible', message: told(wider) };
  return texts.length > 0 ? { code: 'described', notice: 'visible', message: ' is described in other words.' } : undefined;
}

function told(found: readonly SchemaDifference[]): string {
  const shown = found.slice(0, 3).map(({ at, what }) => `${at === '' ? '' : `at ${at} `}${what}`);
  return ` ${shown.join('; ')}${found.length > 3 ? `; and ${found.length - 3} more` : ''}.`;
}

/** What answers hold: here more values are what breaks, and properties that go. */
function outputChanges(before: unknown, after: unknown): OperationChange[] {
  if (before === undefined && after === undefined) return [];
  const change = (notice: Notice, message: string): OperationChange[] => [{ code: 'output', notice, message }];
  if (before === undefined) return change('visible', 'There is an output schema now.');
  if (after === undefined) return change('breaking', 'There is no output schema any more, so no structured content.');
  const found = compareSchemas(before, after, { before, after });
  const breaks = found.filter(({ effect, member }) => effect === 'either' || effect === (member ? 'narrower' : 'wider'));
  if (breaks.length > 0) return change('breaking', `The answer${told(breaks)}`);
  return found.length > 0 ? change('visible', `The answer${told(found)}`) : [];
}
