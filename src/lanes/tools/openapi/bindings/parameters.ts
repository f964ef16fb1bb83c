import { parameter2 } from '../document/swagger2.ts';
import type { Node, Tree } from '../document/tree.ts';
import { at, isNode, isText, listOf, OperationFault } from '../document/tree.ts';
import type { Json } from '../schema/json.ts';
import { tidy } from '../schema/json.ts';
import type { SchemaReader } from '../schema/reader.ts';
import type { OperationSecurity, ParameterBinding, ParameterPlace, ParameterStyle } from '../types.ts';
import type { PathPlace } from './route.ts';

/** A parameter before its argument has a name. */
export interface ParameterDraft {
  readonly binding: Omit<ParameterBinding, 'key'>;
  readonly schema: Json;
  /** `schema` refers to fragments. */
  readonly references: boolean;
}

/** Header parameters that the document may not fill: the hub or the connection does. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set(
  (
    'accept content-type authorization host content-length connection keep-alive proxy-authenticate proxy-authorization proxy-connection ' +
    'te trailer transfer-encoding upgrade expect accept-encoding'
  ).split(' '),
);

/** RFC 9110, 5.6.2: what the name of a header is, and by RFC 6265, 4.1.1, that of a cookie. */
const TOKEN = /^[\w!#$%&'*+\-.^`|~]+$/;

const STYLES: Readonly<Record<ParameterPlace, { readonly first: ParameterStyle; readonly all: readonly string[] }>> = {
  path: { first: 'simple', all: ['simple', 'label', 'matrix', 'spaceDelimited', 'pipeDelimited', 'tabDelimited'] },
  query: { first: 'form', all: ['form', 'spaceDelimited', 'pipeDelimited', 'tabDelimited', 'deepObject'] },
  header: { first: 'simple', all: ['simple', 'spaceDelimited', 'pipeDelimited', 'tabDelimited'] },
  cookie: { first: 'form', all: ['form', 'cookie'] },
  querystring: { first: 'content', all: ['content'] },
};

const LONGEST_DESCRIPTION = 1000;

/** Reads the parameters of operations; what is the same object in the document is read once. */
export class ParameterReader {
  readonly #tree: Tree;
  readonly #schemas: SchemaReader;
  readonly #drafts = new WeakMap<Node, ParameterDraft>();

  constructor(tree: Tree, schemas: SchemaReader) {
    this.#tree = tree;
    this.#schemas = schemas;
  }

  /** All parameter objects of an operation, its own in the place of the path's. Throws OperationFault when one cannot be read. */
  collect(pathItem: Node, operation: Node, pathPointer: string, pointer: string): Node[] {
    const found = new Map<string, Node>();
    for (const [owner, from] of [
      [pathItem, pathPointer],
      [operation, pointer],
    ] as const) {
      for (const [index, value] of listOf(owner['parameters']).entries()) {
        const place = at(from, 'parameters', index);
        const parameter = this.#tree.follow(value, place);
        const { name, in: where } = parameter;
        if (!isText(where)) throw new OperationFault('invalid_parameter', 'A parameter does not say where it goes ("in").', place);
        if (name === '' && where !== 'body') {
          this.#tree.warn(place, 'parameter_dropped', 'A parameter has an empty name; it is left out.');
          continue;
        }
        if (!isText(name) && where !== 'body') throw new OperationFault('invalid_parameter', 'A parameter has no name.', place);
        if (!canBeSent(parameter)) {
          const message = `The ${where} parameter ${JSON.stringify(name)} has characters in its name that cannot be sent`;
          if (parameter['required'] === true) throw new OperationFault('invalid_parameter', `${message}.`, place);
          this.#tree.warn(place, 'parameter_dropped', `${message}; it is left out.`);
          continue;
        }
        found.set(`${where}:${where === 'header' ? String(name).toLowerCase() : String(name)}`, parameter);
      }
    }
    return [...found.values()];
  }

  /** The parameters that become arguments. `places` are those of the path key; each gets a draft, declared or not. */
  drafts(parameters: readonly Node[], places: readonly PathPlace[], security: OperationSecurity, pointer: string): ParameterDraft[] {
    const drafts: ParameterDraft[] = [];
    const missing = new Map(places.map((place) => [place.name, place]));
    for (const parameter of parameters) {
      const { name, in: place } = parameter;
      if (!isText(name) || !isText(place) || (this.#tree.swagger && (place === 'body' || place === 'formData'))) continue;
      if (!Object.hasOwn(STYLES, place)) {
        this.#tree.warn(pointer, 'parameter_dropped', `Parameter "${name}": there is no place "${place}".`);
      } else if (place === 'path') {
        const own = missing.get(name) ?? byCase(missing, name);
        if (own === undefined) {
          this.#tree.warn(pointer, 'parameter_dropped', `Path parameter "${name}" does not occur in the path.`);
          continue;
        }
        missing.delete(own.name);
        const draft = this.#draft(parameter, pointer);
        // What the parameter itself says counts more than a mark in the key, which OpenAPI does not know.
        const style = parameter['style'] === undefined && own.style !== undefined && { style: own.style };
        const explode = parameter['explode'] === undefined && own.explode === true && { explode: true };
        drafts.push({ ...draft, binding: { ...draft.binding, name: own.name, ...style, ...explode } });
      } else if (!isFilled(name, place, security)) {
        drafts.push(this.#draft(parameter, pointer));
      }
    }
    for (const { name, style = 'simple', explode = false } of missing.values()) {
      this.#tree.warn(pointer, 'parameter_undeclared', `The path has "{${name}}", which no parameter declares; it is taken as text.`);
      const binding = { name, place: 'path', required: true, style, explode, reserved: false } as const;
      drafts.push({ binding, schema: { type: 'string' }, references: false });
    }
    return drafts;
  }

  #draft(parameter: Node, pointer: string): ParameterDraft {
    let draft = this.#drafts.get(parameter);
    if (draft === undefined) {
      draft = this.#read(this.#tree.swagger ? parameter2(parameter) : parameter, pointer);
      this.#drafts.set(parameter, draft);
    }
    return draft;
  }

  #read(parameter: Node, pointer: string): ParameterDraft {
    const { name, required, description, deprecated, example, content } = parameter;
    const place = parameter['in'] as ParameterPlace;
    const [mediaType, media] = isNode(content) ? (Object.entries(content)[0] ?? []) : [];
    const binding = {
      ...this.#style(parameter, place, mediaType),
      name: name as string,
      place,
      required: place === 'path' || required === true,
    };
    // Nothing said is text, but JSON can be anything.
    const source = (isNode(media) ? media['schema'] : parameter['schema']) ?? (binding.style === 'content' ? {} : { type: 'string' });
    const { json, references } = this.#schemas.read(source, at(pointer, 'parameters'));
    const schema: Json = { ...json };
    if (isText(description)) schema['description'] = tidy(description, LONGEST_DESCRIPTION);
    if (deprecated === true) schema['deprecated'] = true;
    if (example !== undefined && schema['examples'] === undefined && typeof example !== 'object' && String(example).length <= 80) {
      schema['examples'] = [example];
    }
    if (binding.required && place !== 'querystring' && schema['type'] === 'array' && schema['minItems'] === undefined)
      schema['minItems'] = 1;
    return { binding, schema, references };
  }

  #style(
    parameter: Node,
    place: ParameterPlace,
    mediaType: string | undefined,
  ): Omit<ParameterBinding, 'key' | 'name' | 'place' | 'required'> {
    // Up to 3.1: "This property only applies to parameters with an in value of query."
    const isOld = this.#tree.swagger || /^3\.[01]/.test(this.#tree.version);
    const reserved = parameter['allowReserved'] === true && !(isOld && place !== 'query');
    const { first, all } = STYLES[place];
    // Text of any other type stands as it is.
    if (mediaType !== undefined && place !== 'querystring')
      return { style: /json|\*\/\*/i.test(mediaType) ? 'content' : first, explode: false, reserved };
    if (place === 'querystring') return { style: mediaType?.includes('urlencoded') === true ? 'form' : 'content', explode: true, reserved };
    const said = parameter['style'];
    const style = typeof said === 'string' && all.includes(said) ? (said as ParameterStyle) : first;
    const explode = typeof parameter['explode'] === 'boolean' ? parameter['explode'] : style === 'form' || style === 'cookie';
    const dots = style === 'label' && /^3\.(0\.[0-3]|1\.0)$/.test(this.#tree.version);
    return { style, explode, reserved, ...(dots && { dots }) };
  }
}

/** `{petId}` declared as `petid` is meant. */
function byCase(places: ReadonlyMap<string, PathPlace>, name: string): PathPlace | undefined {
  return [...places.values()].find((place) => place.name.toLowerCase() === name.toLowerCase() || place.name === name.replace(/\*$/, ''));
}

/** Names of headers and of cookies in the style "cookie" stand on the wire as they are. */
function canBeSent({ name, in: place, style }: Node): boolean {
  return !(place === 'header' || (place === 'cookie' && style === 'cookie')) || TOKEN.test(String(name));
}

/** Filled by the hub, or by a security scheme of the operation. */
function isFilled(name: string, place: string, security: OperationSecurity): boolean {
  if (place === 'header' && RESERVED_HEADERS.has(name.toLowerCase())) return true;
  return security.alternatives.some((alternative) =>
    alternative.some(({ scheme }) => {
      if (scheme.type !== 'apiKey' || scheme.in !== place) return false;
      return place === 'header' ? scheme.name.toLowerCase() === name.toLowerCase() : scheme.name === name;
    }),
  );
}
