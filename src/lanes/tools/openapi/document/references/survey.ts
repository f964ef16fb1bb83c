import type { Node } from '../tree.ts';
import { at, isText } from '../tree.ts';

/** A schema resource (JSON Schema 2020-12, 4.3.5) or a whole file: what references without an address are resolved in. */
export interface Resource {
  /** Absolute; relative references are resolved against it. */
  readonly uri: string;
  readonly node: unknown;
  /** The file's path in its folder; empty for the document itself. */
  readonly file: string;
  /** Where in the file it stands. */
  readonly pointer: string;
  readonly anchors: Map<string, Anchor>;
  /** Of the whole file; itself when it is one. */
  readonly whole: Resource | undefined;
}

export interface Anchor {
  readonly pointer: string;
  /** Of a `$dynamicAnchor`. */
  readonly dynamic: boolean;
}

/** A `$ref` or `$dynamicRef`, where it stands. */
export interface Reference {
  readonly node: Record<string, unknown>;
  readonly keyword: '$ref' | '$dynamicRef';
  /** As the document has it. */
  readonly text: string;
  readonly resource: Resource;
}

/** Values under these keys are data of the API's users: what looks like a reference in them is none. */
const DATA = new Set([
  'default',
  'enum',
  'const',
  'example',
  'examples',
  'value',
  'dataValue',
  'mapping',
  'required',
  'scopes',
  'security',
]);
/** Under these keys stand names that the document chose: `$ref` among them is a name like others. */
const NAMES = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);
/** Under these too, but a `$ref` with a text beside nothing that it could name is meant as one. */
const MAPS = new Set(
  (
    'paths webhooks responses headers content links callbacks encoding schemas securitySchemes requestBodies pathItems mediaTypes ' +
    'securityDefinitions parameters additionalOperations variables'
  ).split(' '),
);

/** Keys down to which `$id` and anchors count: the pointers of all in a chain of them would be the square of its length. */
const DEEPEST_NAME = 500;

type Kind = 'object' | 'map' | 'names';

interface Frame {
  readonly value: object;
  readonly kind: Kind;
  readonly resource: Resource;
  readonly parent: Frame | undefined;
  readonly key: string | number;
  readonly depth: number;
}

interface SurveyOptions {
  /** `$id`, `$anchor` and `$dynamicAnchor` mean something (3.1 and later). */
  readonly modern: boolean;
  /** What has been seen, in any survey. */
  readonly seen: WeakSet<object>;
  /** Told of each `$id`. */
  onResource(resource: Resource): void;
}

/** Every reference at `root` and below it, and the resources and anchors there. Objects that were seen before are passed over. */
export function survey(root: unknown, resource: Resource, pointer: string, options: SurveyOptions): Reference[] {
  const found: Reference[] = [];
  if (typeof root !== 'object' || root === null) return found;
  const stack: Frame[] = [{ value: root, kind: 'object', resource, parent: undefined, key: '', depth: 0 }];
  for (let frame = stack.pop(); frame !== undefined; frame = stack.pop()) {
    const { value } = frame;
    if (options.seen.has(value)) continue;
    options.seen.add(value);
    if (Array.isArray(value)) {
      for (let key = value.length - 1; key >= 0; key -= 1) push(stack, value[key], 'object', frame.resource, frame, key);
      continue;
    }
    const node = value as Record<string, unknown>;
    const isNamed = options.modern && frame.kind === 'object' && frame.depth <= DEEPEST_NAME;
    const inside = isNamed ? entered(node, frame, pointer, options) : frame.resource;
    if (frame.kind !== 'names') note(found, node, inside);
    // The last comes first off the stack, and of two anchors with one name the first counts.
    for (const key of Object.keys(node).toReversed()) {
      const child = node[key];
      if (typeof child === 'object' && child !== null && !isData(key, frame.kind)) push(stack, child, kindOf(key, child, frame.kind), inside, frame, key); // prettier-ignore
    }
  }
  return found;
}

function push(stack: Frame[], value: unknown, kind: Kind, resource: Resource, parent: Frame, key: string | number): void {
  if (typeof value === 'object' && value !== null) stack.push({ value, kind, resource, parent, key, depth: parent.depth + 1 });
}

function isData(key: string, kind: Kind): boolean {
  if (kind !== 'object') return false;
  return DATA.has(key) || key.startsWith('x-');
}

function kindOf(key: string, child: object, kind: Kind): Kind {
  if (kind !== 'object' || Array.isArray(child)) return 'object';
  return NAMES.has(key) ? 'names' : MAPS.has(key) ? 'map' : 'object';
}

function note(found: Reference[], node: Record<string, unknown>, resource: Resource): void {
  for (const keyword of ['$ref', '$dynamicRef'] as const) {
    const text = node[keyword];
    if (typeof text === 'string') found.push({ node, keyword, text, resource });
  }
}

/** The resource that an object begins or is in; its anchors are noted. */
function entered(node: Node, frame: Frame, base: string, { onResource }: SurveyOptions): Resource {
  let { resource } = frame;
  const { $id, $anchor, $dynamicAnchor } = node;
  if (isText($id) && !$id.startsWith('#')) {
    const uri = URL.parse($id.replace(/#.*$/s, ''), resource.uri)?.href;
    if (uri !== undefined && uri !== resource.uri) {
      resource = { uri, node, file: resource.file, pointer: pointerOf(frame, base), anchors: new Map(), whole: resource.whole ?? resource };
      onResource(resource);
    }
  }
  for (const [anchor, dynamic] of [
    [$anchor, false],
    [$dynamicAnchor, true],
  ] as const)
    // prettier-ignore
    if (isText(anchor) && !resource.anchors.has(anchor)) resource.anchors.set(anchor, { pointer: pointerOf(frame, base), dynamic });
  return resource;
}

function pointerOf(frame: Frame, base: string): string {
  const keys: (string | number)[] = [];
  for (let one: Frame | undefined = frame; one?.parent !== undefined; one = one.parent) keys.push(one.key);
  return at(base, ...keys.toReversed());
}
