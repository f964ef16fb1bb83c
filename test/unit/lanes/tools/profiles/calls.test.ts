import type { JsonObject } from '../../../../../src/core/json.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SourceTool } from '../../../../../src/core/tools.ts';
import { toolForm } from '../../../../../src/lanes/tools/profiles/tool-form.ts';

const DIALECTS = ['openai', 'gemini', 'copilot-studio'] as const;

/** Keys that every client takes, that some refuse, and that become alike. */
const key = fc.constantFrom('a', 'b', 'a b', 'a_b', '@id', 'id', '$top', 'X-A', 'ключ', 'constructor', 'y'.repeat(70));
const text = fc.constantFrom('', 'x', '1', 'true', 'null', '{"a":1}', '[]', 'a long text');
const scalars = fc.constantFrom<JsonObject>(
  { type: 'string' },
  { type: 'integer' },
  { type: 'number' },
  { type: 'boolean' },
  { type: 'string', enum: ['x', 'y', '1'] },
  { type: 'integer', enum: [1, 2] },
  { enum: ['auto', 1, true] },
);
/** Schemas as the compiler writes them, of which every value that fits can be told from others. */
const { schema } = fc.letrec<{ schema: JsonObject }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    scalars,
    fc
      .tuple(fc.dictionary(key, tie('schema'), { minKeys: 1, maxKeys: 4 }), fc.infiniteStream(fc.boolean()))
      .map(([properties, needed]): JsonObject => {
        const required = Object.keys(properties).filter(() => needed.next().value);
        return { type: 'object', properties, ...(required.length > 0 && { required }), additionalProperties: false };
      }),
    tie('schema').map((items): JsonObject => ({ type: 'array', items })),
    tie('schema').map((one): JsonObject => ({ anyOf: [one, { type: 'null' }] })),
    fc.constant<JsonObject>({ type: 'object', additionalProperties: { type: 'string' } }),
    tie('schema').map((items): JsonObject => ({ anyOf: [{ type: 'boolean' }, { type: 'array', items }] })),
  ),
}));

const propertiesOf = (one: JsonObject): Record<string, JsonObject> => (one['properties'] ?? {}) as Record<string, JsonObject>;

/** Values that fit a schema of ours. */
function valueOf(one: JsonObject): fc.Arbitrary<unknown> {
  if (one['anyOf'] !== undefined) return fc.oneof(...(one['anyOf'] as JsonObject[]).map(valueOf));
  if (one['enum'] !== undefined) return fc.constantFrom(...(one['enum'] as unknown[]));
  switch (one['type']) {
    case 'object': {
      if (one['properties'] === undefined) return fc.dictionary(key, text, { maxKeys: 2 });
      const shape = Object.fromEntries(Object.entries(propertiesOf(one)).map(([name, property]) => [name, valueOf(property)]));
      return fc.record(shape, { requiredKeys: (one['required'] ?? []) as string[], noNullPrototype: true });
    }
    case 'array':
      return fc.array(valueOf(one['items'] as JsonObject), { maxLength: 3 });
    case 'string':
      return text;
    case 'integer':
      return fc.integer();
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value));
    case 'null':
      return fc.constant(null);
    default:
      return fc.boolean();
  }
}

/** Which of the schemas above a value is of. */
function fits(value: unknown, one: JsonObject): boolean {
  if (one['anyOf'] !== undefined) return (one['anyOf'] as JsonObject[]).some((branch) => fits(value, branch));
  if (one['enum'] !== undefined) return (one['enum'] as unknown[]).includes(value);
  if (Array.isArray(value)) return one['type'] === 'array' && value.every((item) => fits(item, one['items'] as JsonObject));
  if (value === null) return one['type'] === 'null';
  if (typeof value === 'number') return one['type'] === 'number' || (one['type'] === 'integer' && Number.isInteger(value));
  if (typeof value !== 'object') return one['type'] === typeof value;
  if (one['type'] !== 'object') return false;
  const properties = one['properties'] as Record<string, JsonObject> | undefined;
  const needed = (one['required'] ?? []) as string[];
  if (properties === undefined) return Object.values(value).every((item) => typeof item === 'string');
  return (
    needed.every((name) => Object.hasOwn(value, name)) &&
    Object.entries(value).every(([name, item]) => Object.hasOwn(properties, name) && fits(item, properties[name]!))
  );
}

const toolOf = (properties: JsonObject, required: readonly string[]): SourceTool => ({
  definition: { name: 'one', description: 'Does it.', inputSchema: { type: 'object', properties, required, additionalProperties: false } },
  risk: 'read',
  tags: [],
});

/**
 * What a model would write to mean `value`, knowing nothing but the form: the keys of the form stand in the order of the tool's, null for what is
 * left out where all keys are needed, JSON where a text of JSON is asked for. Undefined where the form cannot say it.
 */
function written(value: unknown, own: JsonObject, form: JsonObject): unknown {
  const choice = form['anyOf'] as JsonObject[] | undefined;
  if (value === null) return takesNull(form) ? null : undefined;
  if (own['anyOf'] !== undefined) {
    for (const branch of (own['anyOf'] as JsonObject[]).filter((one) => fits(value, one))) {
      const found = written(value, branch, form);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (choice !== undefined) return choice.map((one) => written(value, own, one)).find((one) => one !== undefined);
  const { type, enum: values, description = '' } = form as { type?: string; enum?: unknown[]; description?: string };
  if (type === 'string' && description.includes('JSON text of'))
    return own['type'] === 'object' || own['type'] === 'array' ? JSON.stringify(value) : undefined;
  if (values !== undefined)
    return values.includes(value) ? value : values.includes(JSON.stringify(value)) ? JSON.stringify(value) : undefined;
  if (own['type'] === 'object' && type === 'object') return writtenObject(value as JsonObject, own, form);
  if (Array.isArray(value)) {
    if (type !== 'array') return undefined;
    const items = value.map((item) => written(item, own['items'] as JsonObject, form['items'] as JsonObject));
    return items.includes(undefined) ? undefined : items;
  }
  const isTaken = type === typeof value || (typeof value === 'number' && (type === 'number' || type === 'integer'));
  return isTaken ? value : undefined;
}

function writtenObject(value: JsonObject, own: JsonObject, form: JsonObject): JsonObject | undefined {
  if (form['properties'] === undefined) return value;
  const shown = Object.entries(propertiesOf(form));
  const entries: [string, unknown][] = [];
  for (const [index, [name, property]] of Object.entries(propertiesOf(own)).entries()) {
    const [as, schemaOf] = shown[index]!;
    if (!Object.hasOwn(value, name)) {
      if (((form['required'] ?? []) as string[]).includes(as)) entries.push([as, null]);
      continue;
    }
    const one = written(value[name], property, schemaOf);
    if (one === undefined) return undefined;
    entries.push([as, one]);
  }
  return Object.fromEntries(entries);
}

function takesNull(form: JsonObject): boolean {
  return form['nullable'] === true || form['type'] === 'null' || ((form['anyOf'] ?? []) as JsonObject[]).some(takesNull);
}

/** A tool and arguments that it takes. */
const call = fc
  .dictionary(key, schema, { minKeys: 1, maxKeys: 4 })
  .chain((properties) => fc.tuple(fc.constant(properties), fc.subarray(Object.keys(properties))))
  .chain(([properties, required]) =>
    fc.record({
      tool: fc.constant(toolOf(properties, required)),
      args: valueOf({ type: 'object', properties, required }) as fc.Arbitrary<JsonObject>,
    }),
  );

/** An optional null is absent in strict mode, where the form has no other way to leave something out. */
function withoutNulls(value: unknown, own: JsonObject): unknown {
  if (own['anyOf'] !== undefined) {
    const branch = (own['anyOf'] as JsonObject[]).find((one) => fits(value, one));
    return branch === undefined ? value : withoutNulls(value, branch);
  }
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item, own['items'] as JsonObject));
  if (typeof value !== 'object' || value === null || own['properties'] === undefined) return value;
  const needed = (own['required'] ?? []) as string[];
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, item]) => item !== null || needed.includes(name))
      .map(([name, item]) => [name, withoutNulls(item, propertiesOf(own)[name]!)]),
  );
}

describe('a call', () => {
  it.each(DIALECTS)('in the form of %s arrives as it was meant', (profile) => {
    let said = 0;
    fc.assert(
      fc.property(call, ({ tool, args }) => {
        const { definition, input = (one: JsonObject) => one } = toolForm(tool, profile);
        const meant = profile === 'openai' ? withoutNulls(args, tool.definition.inputSchema) : args;
        const given = written(meant, tool.definition.inputSchema, definition.inputSchema);
        if (given === undefined) return;
        said += 1;
        expect(input(given as JsonObject)).toEqual(meant);
      }),
      { numRuns: 1000 },
    );
    expect(said).toBeGreaterThan(400);
  });

  it.each(DIALECTS)('in the form of the document is what it is for %s too', (profile) => {
    fc.assert(
      fc.property(call, ({ tool, args }) => {
        const { input = (one: JsonObject) => one } = toolForm(tool, profile);
        const meant = profile === 'openai' ? withoutNulls(args, tool.definition.inputSchema) : args;
        expect(input(meant as JsonObject)).toEqual(meant);
      }),
      { numRuns: 1000 },
    );
  });

  it.each(['openai', 'gemini'] as const)('with a text of JSON keeps long integers for a service in the form of %s', (profile) => {
    const tool = toolOf({ o: { type: 'object', additionalProperties: {} } }, ['o']);
    const service: SourceTool = { ...tool, definition: { ...tool.definition }, operation: { method: 'POST', path: '/a' } };
    const given = { o: '{"id": 9007199254740993, "n": [-12345678901234567890, 1]}' };
    expect(toolForm(service, profile).input?.(given)).toEqual({ o: { id: '9007199254740993', n: ['-12345678901234567890', 1] } });
    // Servers of MCP are given numbers where they ask for numbers.
    expect(toolForm(tool, profile).input?.({ o: '{"id": 7}' })).toEqual({ o: { id: 7 } });
  });
});
