import type { JsonObject } from '../../src/core/json.ts';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Profile, ToolDefinition } from '../../src/core/tools.ts';

/**
 * The published rules of the clients that each profile is for, as a client would check them: nothing here knows how the hub makes its lists.
 * Sources: docs/profiles.md.
 */
interface Rules {
  readonly name: RegExp;
  readonly key: RegExp;
  readonly description: number;
  /** Tokens of one tool, at 3.5 bytes. */
  readonly tokens: number;
  /** All keywords that a schema may have; undefined: any of 2020-12. */
  readonly keywords?: ReadonlySet<string>;
  check?(schema: JsonObject, place: string): Generator<string>;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);
const propertiesOf = (schema: JsonObject): JsonObject => (isObject(schema['properties']) ? schema['properties'] : {});

const RULES: Readonly<Record<Profile, Rules>> = {
  default: { name: /^[A-Za-z][A-Za-z0-9_-]{0,47}$/, key: /^[A-Za-z_][A-Za-z0-9_]{0,63}$/, description: 2000, tokens: 8800 },
  raw: { name: /^[A-Za-z][A-Za-z0-9_.-]{0,127}$/, key: /^[a-zA-Z0-9_.-]{1,64}$/, description: 20_000, tokens: Infinity },
  openai: {
    name: /^[A-Za-z0-9_-]{1,64}$/,
    key: /^[A-Za-z0-9_.-]{1,64}$/,
    description: 1024,
    tokens: 8800,
    keywords: words('type description properties required additionalProperties items enum anyOf'),
    *check(schema, place) {
      if (schema['type'] === 'object') {
        if (schema['additionalProperties'] !== false) yield `${place}: additionalProperties is not false`;
        const required = new Set((schema['required'] ?? []) as string[]);
        for (const key of Object.keys(propertiesOf(schema))) if (!required.has(key)) yield `${place}: ${key} is not required`;
      }
      const firsts = ((schema['anyOf'] ?? []) as JsonObject[])
        .filter((one) => one['type'] === 'object')
        .map((one) => Object.keys(propertiesOf(one))[0]);
      if (new Set(firsts).size < firsts.length) yield `${place}: objects of anyOf share their first key`;
    },
  },
  gemini: {
    name: /^[A-Za-z_][A-Za-z0-9_.:-]{0,62}$/,
    key: /^[A-Za-z_][A-Za-z0-9_]{0,63}$/,
    description: 1024,
    tokens: 8800,
    keywords: words('type format description nullable enum properties required items anyOf'),
    *check(schema, place) {
      if (schema['anyOf'] !== undefined && Object.keys(schema).length > 1) yield `${place}: something stands beside anyOf`;
      if (schema['type'] === 'object' && place !== '' && Object.keys(propertiesOf(schema)).length === 0)
        yield `${place}: an object without properties`;
      const formats: Record<string, readonly string[]> = {
        string: ['date-time', 'enum'],
        number: ['float', 'double'],
        integer: ['int32', 'int64'],
      };
      const { format, type } = schema;
      if (format !== undefined && formats[String(type)]?.includes(String(format)) !== true) yield `${place}: format ${String(format)}`;
      yield* stringEnums(schema, place);
      if (((schema['enum'] ?? []) as unknown[]).includes('')) yield `${place}: an empty value of enum`;
    },
  },
  'copilot-studio': {
    name: /^[A-Za-z0-9_-]{1,64}$/,
    key: /^[A-Za-z_][A-Za-z0-9_]{0,63}$/,
    description: 1024,
    tokens: 8800,
    keywords: words('type description enum properties required items'),
    check: stringEnums,
  },
};

function* stringEnums(schema: JsonObject, place: string): Generator<string> {
  const values = schema['enum'] as unknown[] | undefined;
  if (values !== undefined && (schema['type'] !== 'string' || !values.every((value) => typeof value === 'string')))
    yield `${place}: enum of more than strings`;
}

const ajv = new Ajv2020({ strict: false, validateFormats: false });
const isExpression = (text: string): boolean => Boolean(new RegExp(text, 'u'));
/** VS Code checks with draft 7, whatever the schema says it is. */
const draft7 = new Ajv({ strict: false, formats: { regex: isExpression, uri: true, 'uri-reference': true } });

/** Everything for which the clients of a profile would refuse, hide or cut one tool, as text. */
export function* clientFaults(profile: Profile, tool: ToolDefinition): Generator<string> {
  const rules = RULES[profile];
  const { name, description = '', inputSchema } = tool;
  if (!rules.name.test(name)) yield `name ${name}`;
  if (description === '' || description.length > rules.description) yield `description of ${description.length} characters`;
  const { _meta: _, icons: __, annotations: ___, outputSchema, ...counted } = tool;
  const tokens = Buffer.byteLength(JSON.stringify(counted)) / 3.5;
  if (tokens > rules.tokens) yield `${Math.round(tokens)} tokens`;
  if (inputSchema['type'] !== 'object' || !isObject(inputSchema['properties'])) yield 'the root is no object with properties';
  for (const key of ['anyOf', 'oneOf', 'allOf', 'not', 'if', 'enum', '$ref'])
    if (inputSchema[key] !== undefined) yield `${key} at the root`;
  for (const key of Object.keys(propertiesOf(inputSchema))) if (!rules.key.test(key)) yield `argument ${key}`;
  if (ajv.validateSchema(inputSchema) !== true) yield `not JSON Schema 2020-12: ${ajv.errorsText()}`;
  if (draft7.validateSchema({ ...inputSchema, $schema: undefined }) !== true) yield `not JSON Schema draft 7: ${draft7.errorsText()}`;
  if (profile === 'copilot-studio' && outputSchema !== undefined) yield 'an output schema, where references and choices are not taken';
  yield* schemaFaults(inputSchema, '', rules, 0);
  yield* referenceFaults(inputSchema, inputSchema);
  if (outputSchema !== undefined) yield* outputFaults(outputSchema);
  const { values, texts, properties } = count(inputSchema);
  if (profile === 'openai' && (values > 1000 || texts > 120_000 || properties > 5000))
    yield `${properties} properties, ${values} values of enums, ${texts} characters of names and values`;
}

/** One that is not so costs clients of the first SDKs the whole list. */
function* outputFaults(schema: JsonObject): Generator<string> {
  if (schema['type'] !== 'object') yield 'the root of the output schema is no object';
  if (ajv.validateSchema(schema) !== true) yield `the output schema is not JSON Schema 2020-12: ${ajv.errorsText()}`;
  for (const fault of referenceFaults(schema, schema)) yield `output schema: ${fault}`;
}

/** References that lead out of the schema, or nowhere. */
function* referenceFaults(value: unknown, root: JsonObject): Generator<string> {
  if (Array.isArray(value)) for (const item of value) yield* referenceFaults(item, root);
  if (!isObject(value)) return;
  for (const [key, item] of Object.entries(value)) {
    if (key === '$ref' && typeof item === 'string' && !leadsSomewhere(item, root)) yield `the reference ${item}`;
    else if (key !== 'enum' && key !== 'const' && key !== 'default' && key !== 'examples') yield* referenceFaults(item, root);
  }
}

function leadsSomewhere(reference: string, root: JsonObject): boolean {
  const name = /^#\/\$defs\/([^/]+)$/.exec(reference)?.[1]?.replaceAll('~1', '/').replaceAll('~0', '~');
  return name !== undefined && isObject(root['$defs']) && Object.hasOwn(root['$defs'], name);
}

function* schemaFaults(schema: JsonObject, place: string, rules: Rules, depth: number): Generator<string> {
  const { type, items, properties, required } = schema;
  if (Array.isArray(type)) yield `${place}: a list of types`;
  if (type === 'array' && !isObject(items)) yield `${place}: an array whose items are no schema`;
  if (Array.isArray(schema['enum']) && schema['enum'].includes(null) && type !== 'null') yield `${place}: null as a value of enum`;
  if (schema['x-mcp-header'] !== undefined) yield `${place}: x-mcp-header`;
  for (const key of ['exclusiveMinimum', 'exclusiveMaximum']) if (typeof schema[key] === 'boolean') yield `${place}: a boolean ${key}`;
  if (rules.keywords !== undefined) {
    for (const key of Object.keys(schema)) if (!rules.keywords.has(key)) yield `${place}: keyword ${key}`;
    if (type === undefined && schema['anyOf'] === undefined) yield `${place}: no type`;
    for (const key of Object.keys(propertiesOf(schema))) if (!rules.key.test(key)) yield `${place}: key ${key}`;
    for (const key of (required ?? []) as string[])
      if (!Object.hasOwn(propertiesOf(schema), key)) yield `${place}: requires ${key}, which is not there`;
    if (depth > 10) yield `${place}: more than 10 levels`;
  }
  if (rules.check !== undefined) yield* rules.check(schema, place);
  if (isObject(items)) yield* schemaFaults(items, `${place}/items`, rules, depth + 1);
  if (isObject(properties)) {
    for (const [name, one] of Object.entries(properties)) if (isObject(one)) yield* schemaFaults(one, `${place}/${name}`, rules, depth + 1);
  }
  for (const key of ['anyOf', 'allOf', 'oneOf']) {
    const parts = schema[key];
    if (Array.isArray(parts))
      for (const [index, one] of parts.entries()) if (isObject(one)) yield* schemaFaults(one, `${place}/${key}/${index}`, rules, depth);
  }
}

function count(value: unknown): { values: number; texts: number; properties: number } {
  const sum = { values: 0, texts: 0, properties: 0 };
  const walk = (schema: unknown): void => {
    if (!isObject(schema)) return;
    const values = Array.isArray(schema['enum']) ? (schema['enum'] as unknown[]) : [];
    sum.values += values.length;
    sum.properties += Object.keys(propertiesOf(schema)).length;
    for (const text of [...values.map(String), ...Object.keys(propertiesOf(schema))]) sum.texts += text.length;
    for (const part of [schema['items'], ...Object.values(propertiesOf(schema)), ...((schema['anyOf'] ?? []) as unknown[])]) walk(part);
  };
  walk(value);
  return sum;
}

/** Arguments made from a presented form: everything that can be given, or as little as may be (null where null is taken). */
export function argumentsFrom(schema: JsonObject, how: 'all' | 'least'): unknown {
  const choice = schema['anyOf'] as JsonObject[] | undefined;
  if (choice !== undefined) {
    const nothing = choice.find((one) => one['type'] === 'null');
    if (how === 'least' && nothing !== undefined) return null;
    const { description } = schema;
    return argumentsFrom({ ...(description === undefined ? {} : { description }), ...choice[how === 'all' ? 0 : choice.length - 1]! }, how);
  }
  const values = schema['enum'] as unknown[] | undefined;
  if (values !== undefined) return values[how === 'all' ? values.length - 1 : 0];
  const { type, description = '' } = schema as { type?: string; description?: string };
  switch (type) {
    case 'object': {
      const needed = new Set((schema['required'] ?? []) as string[]);
      const entries = Object.entries(propertiesOf(schema)).filter(([key]) => how === 'all' || needed.has(key));
      return Object.fromEntries(entries.map(([key, one]) => [key, argumentsFrom(one as JsonObject, how)]));
    }
    case 'array':
      return how === 'all' ? [argumentsFrom(schema['items'] as JsonObject, how)] : [];
    case 'string':
      if (description.includes('One of ')) return /One of \d+: ([^,]*),/.exec(description)?.[1] ?? 'text';
      return description.includes('JSON text of null')
        ? 'null'
        : description.includes('JSON text of an array')
          ? '[]'
          : description.includes('JSON text of an')
            ? '{}'
            : 'text';
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return 1;
  }
}
