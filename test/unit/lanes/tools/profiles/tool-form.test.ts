import type { JsonObject } from '../../../../../src/core/json.ts';
import { describe, expect, it } from 'vitest';
import type { Profile, SourceTool } from '../../../../../src/core/tools.ts';
import { toolForm, type ToolForm } from '../../../../../src/lanes/tools/profiles/tool-form.ts';
import { plainRoot } from '../../../../../src/lanes/tools/profiles/plain-root.ts';
import { clientFaults } from '../../../../support/client-rules.ts';

const DIALECTS = ['openai', 'gemini', 'copilot-studio'] as const;

function toolOf(inputSchema: JsonObject, more: Partial<SourceTool['definition']> = {}): SourceTool {
  return { definition: { name: 'one', description: 'Does it.', inputSchema, ...more }, risk: 'read', tags: [] };
}

/** A tool with one argument `a`, in the form of a profile. */
function withArgument(a: JsonObject, profile: Profile, root: JsonObject = {}): ToolForm & { readonly a: JsonObject } {
  const presented = toolForm(toolOf({ type: 'object', properties: { a }, required: ['a'], ...root }), profile);
  expect([...clientFaults(profile, presented.definition)]).toEqual([]);
  const { properties } = presented.definition.inputSchema as { properties: Record<string, JsonObject> };
  return { ...presented, a: properties['a']! };
}

const back = ({ input = (args) => args }: ToolForm, a: unknown): unknown => input({ a })['a'];

describe('nulls and what is optional', () => {
  const schema = { type: 'object', properties: { a: { type: 'string' }, b: { anyOf: [{ type: 'string' }, { type: 'null' }] } } };

  it('openai: everything is required, null means absent', () => {
    const { definition, input } = toolForm(toolOf(schema), 'openai');
    const nullable = { anyOf: [{ type: 'string' }, { type: 'null' }] };
    expect(definition.inputSchema).toEqual({
      type: 'object',
      properties: { a: nullable, b: nullable },
      required: ['a', 'b'],
      additionalProperties: false,
    });
    expect(input!({ a: null, b: null })).toEqual({});
    expect(input!({ a: 'x', b: null })).toEqual({ a: 'x' });
  });

  it('openai: null of who did not use that form is null where the tool takes it', () => {
    const { input } = toolForm(toolOf(schema), 'openai');
    expect(input!({ b: null })).toEqual({ b: null });
    expect(input!({ a: null })).toEqual({});
  });

  it('gemini: a flag; copilot-studio: nothing', () => {
    const a = { anyOf: [{ type: 'integer' }, { type: 'null' }] };
    expect(withArgument(a, 'gemini').a).toEqual({ type: 'integer', nullable: true });
    expect(withArgument(a, 'copilot-studio').a).toEqual({ type: 'integer' });
  });

  it('a list of types is one of them at a time', () => {
    expect(withArgument({ type: ['string', 'null'] }, 'gemini').a).toEqual({ type: 'string', nullable: true });
    expect(withArgument({ type: ['string', 'integer'] }, 'openai').a).toEqual({ anyOf: [{ type: 'string' }, { type: 'integer' }] });
    expect(withArgument({ type: ['string', 'integer'] }, 'copilot-studio').a).toEqual({ type: 'string' });
  });
});

describe('values', () => {
  it.each(['gemini', 'copilot-studio'] as const)('%s: an enum is of texts, which mean their values', (profile) => {
    const form = withArgument({ enum: [1, true, 'auto'] }, profile);
    expect(form.a).toEqual({ type: 'string', enum: ['1', 'true', 'auto'] });
    expect(['1', 'true', 'auto', 1].map((value) => back(form, value))).toEqual([1, true, 'auto', 1]);
    const numbers = withArgument({ type: 'integer', enum: [1, 2] }, profile);
    expect(numbers.a).toEqual({ type: 'string', enum: ['1', '2'] });
    expect([back(numbers, '2'), back(numbers, 2)]).toEqual([2, 2]);
  });

  it.each(DIALECTS)('%s: an enum that is made of several has each value once', (profile) => {
    const side = (values: readonly string[]): JsonObject => ({ type: 'string', enum: values });
    const { a } = withArgument({ anyOf: [side(['a', 'b']), side(['b', 'c']), side(['a', 'b'])] }, profile);
    for (const one of (a['anyOf'] as JsonObject[] | undefined) ?? [a])
      expect(new Set(one['enum'] as []).size).toBe((one['enum'] as []).length);
  });

  it('a constraint that the keyword cannot say is said in words', () => {
    const { a } = withArgument({ type: 'integer', description: 'Pages.', minimum: 1, exclusiveMaximum: 9, default: 3 }, 'openai');
    expect(a).toEqual({ type: 'integer', description: 'Pages. At least 1. Less than 9. Default: 3.' });
  });

  it.each(DIALECTS)('%s: a value of any kind is a text of JSON', (profile) => {
    const form = withArgument({}, profile);
    expect(form.a).toEqual({ type: 'string', description: 'JSON text of any value.' });
    expect(['{"x":1}', '[1]', '5', 'plain', { x: 1 }].map((value) => back(form, value))).toEqual([{ x: 1 }, [1], 5, 'plain', { x: 1 }]);
  });

  it('a text of JSON that is deeper than a request may be stays a text', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(back(withArgument({}, 'gemini'), deep)).toBe(deep);
  });

  it.each(['openai', 'gemini'] as const)('%s: a map is a text of JSON, and may be a text as well', (profile) => {
    const form = withArgument({ anyOf: [{ type: 'string' }, { type: 'object', additionalProperties: { type: 'string' } }] }, profile);
    expect(form.a).toEqual({ type: 'string', description: 'JSON text of an object.' });
    expect(['{"x":"y"}', '5', 'plain'].map((value) => back(form, value))).toEqual([{ x: 'y' }, '5', 'plain']);
  });
});

describe('objects', () => {
  it.each(DIALECTS)('%s: keys that it refuses have others, and come back', (profile) => {
    const a = { type: 'object', properties: { '@id': { type: 'string' }, 'a b': { type: 'string' }, a_b: { type: 'string' }, [`${'x'.repeat(70)}`]: { type: 'string' } }, required: ['@id', 'a b', 'a_b'] }; // prettier-ignore
    const form = withArgument(a, profile);
    const properties = form.a['properties'] as JsonObject;
    expect(Object.keys(properties).slice(0, 3)).toEqual(['id', 'a_b_2', 'a_b']);
    expect(back(form, { id: '1', a_b_2: '2', a_b: '3' })).toEqual({ '@id': '1', 'a b': '2', a_b: '3' });
    expect(back(form, { '@id': '1', 'a b': '2', a_b: '3' })).toEqual({ '@id': '1', 'a b': '2', a_b: '3' });
  });

  it.each(DIALECTS)('%s: allOf is one object', (profile) => {
    const a = { allOf: [{ type: 'object', properties: { x: { type: 'string' } }, required: ['x'] }, { properties: { y: { type: 'integer' } }, required: ['y'] }] }; // prettier-ignore
    expect(withArgument(a, profile).a).toMatchObject({ type: 'object', properties: { x: { type: 'string' }, y: { type: 'integer' } }, required: ['x', 'y'] }); // prettier-ignore
  });

  it.each(DIALECTS)('%s: a schema inside itself ends, and can still be given', (profile) => {
    const defs = { $defs: { Node: { type: 'object', properties: { name: { type: 'string' }, next: { $ref: '#/$defs/Node' } }, required: ['name', 'next'] } } }; // prettier-ignore
    const form = withArgument({ $ref: '#/$defs/Node' }, profile, defs);
    expect(form.cuts).toEqual(['levels of a schema that contains itself']);
    const next = profile === 'copilot-studio' ? { name: 'b' } : '{"name":"b"}';
    expect(back(form, { name: 'a', next })).toEqual({ name: 'a', next: { name: 'b' } });
  });

  it('openai: objects of a choice that begin alike are one', () => {
    const kind = (name: string, more: JsonObject): JsonObject => ({ type: 'object', properties: { type: { type: 'string', enum: [name] }, ...more }, required: ['type'] }); // prettier-ignore
    const form = withArgument({ oneOf: [kind('a', { x: { type: 'string' } }), kind('b', { y: { type: 'string' } })] }, 'openai');
    expect(form.a).toMatchObject({ type: 'object', required: ['type', 'x', 'y'] });
    expect(back(form, { type: 'a', x: '1', y: null })).toEqual({ type: 'a', x: '1' });
    expect(form.cuts).toEqual(['one of several objects: all are shown as one']);
  });

  it('copilot-studio: of a choice the richest form, whatever the order', () => {
    const a = { anyOf: [{ type: 'string', enum: [''] }, { type: 'integer' }] };
    expect(withArgument(a, 'copilot-studio').a).toEqual({ type: 'integer' });
    const b = { anyOf: [{ type: 'string' }, { type: 'object', properties: { x: { type: 'string' } } }] };
    expect(withArgument(b, 'copilot-studio').a).toMatchObject({ type: 'object' });
  });
});

describe('sizes', () => {
  it.each(DIALECTS.flatMap((profile) => [[profile, 'anyOf'] as const, [profile, 'allOf'] as const]))(
    '%s: %s of %s without end costs little',
    (profile, keyword) => {
      const part = (index: number): JsonObject => ({ [keyword]: Array.from({ length: 10 }, () => ({ $ref: `#/$defs/A${index + 1}` })) });
      const bomb = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`A${index}`, part(index)]));
      const started = performance.now();
      withArgument({ $ref: '#/$defs/A0' }, profile, { $defs: { ...bomb, A30: { type: 'object', properties: { a: { type: 'string' } } } } });
      expect(performance.now() - started).toBeLessThan(500);
    },
  );

  it.each(DIALECTS)('%s: a wide and deep schema stays within the budget, and says what is left out', (profile) => {
    const level = (depth: number): JsonObject =>
      depth === 0
        ? { type: 'string' }
        : { type: 'object', properties: Object.fromEntries('abcdef'.split('').map((key) => [key, level(depth - 1)])) };
    const { definition, cuts } = toolForm(toolOf({ type: 'object', properties: { a: level(6) } }), profile);
    expect(JSON.stringify(definition).length / 3.5).toBeLessThan(1600);
    expect(cuts).toContain('objects that are nested deep');
  });

  it.each(DIALECTS)('%s: a long description is cut, an empty one filled', (profile) => {
    const long = toolForm(toolOf({ type: 'object', properties: {} }, { description: 'word '.repeat(1000) }), profile);
    expect(long.definition.description!.length).toBeLessThanOrEqual(1024);
    expect(long.cuts).toEqual(['the end of the description']);
    expect(toolForm(toolOf({ type: 'object', properties: {} }, { description: '' }), profile).definition.description).toBe('one');
  });
});

describe('default', () => {
  it('leaves what clients take as it is, the same object', () => {
    const tool = toolOf({ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object', properties: { a: { oneOf: [{ type: 'string' }, { type: 'integer' }] } } }); // prettier-ignore
    expect(toolForm(tool, 'default')).toEqual({ definition: tool.definition, cuts: [] });
    expect(toolForm(tool, 'default').definition).toBe(tool.definition);
    expect(toolForm(tool, 'raw').definition).toBe(tool.definition);
  });

  it('gives arrays items, wherever they are', () => {
    const { definition } = toolForm(
      toolOf({ type: 'object', properties: { a: { anyOf: [{ type: 'array' }, { type: 'string' }] } } }),
      'default',
    );
    expect(definition.inputSchema).toEqual({
      type: 'object',
      properties: { a: { anyOf: [{ type: 'array', items: {} }, { type: 'string' }] } },
    });
  });

  it('gives them to tuples as well, which take what they took', () => {
    const a = (more: JsonObject): unknown => {
      const { definition } = toolForm(toolOf({ type: 'object', properties: { a: { type: 'array', ...more } } }), 'default');
      return (definition.inputSchema['properties'] as JsonObject)['a'];
    };
    const prefixItems = [{ type: 'string' }, { type: 'integer' }];
    expect(a({ prefixItems })).toEqual({ type: 'array', prefixItems, items: {} });
    expect(a({ prefixItems, items: false })).toEqual({ type: 'array', prefixItems, items: {}, maxItems: 2 });
    expect(a({ items: true })).toEqual({ type: 'array', items: {} });
  });

  it('leaves a root that older revisions do not know, for a plain one in their lists', () => {
    const parts = [
      { properties: { a: { type: 'string' } }, required: ['a'] },
      { properties: { b: { type: 'string' } }, required: ['b'] },
    ];
    const tool = toolOf({ anyOf: parts, description: 'x' });
    const { definition, cuts } = toolForm(tool, 'default');
    expect(definition).toBe(tool.definition);
    expect(cuts).toEqual(['choices between sets of arguments, before 2026-07-28']);
    expect(plainRoot(tool.definition.inputSchema)).toEqual({ description: 'x', type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } } }); // prettier-ignore
    expect(plainRoot({ allOf: parts })['required']).toEqual(['a', 'b']);
    expect(plainRoot({})).toEqual({ type: 'object', properties: {} });
    const plain = { type: 'object', properties: {} };
    expect(plainRoot(plain)).toBe(plain);
  });
});

it('names are changed only where the client would refuse them, and stay apart', () => {
  const name = (given: string, profile: Profile): string =>
    toolForm(toolOf({ type: 'object', properties: {} }, { name: given }), profile).definition.name;
  expect(name('files.read', 'default')).toBe('files.read');
  expect(name('files.read', 'openai')).toMatch(/^files_read_[0-9a-f]{6}$/);
  expect(name('files.read', 'openai')).not.toBe(name('files/read', 'openai'));
  expect(name('9lives', 'gemini')).toMatch(/^t9lives_[0-9a-f]{6}$/);
  expect(name('x'.repeat(90), 'copilot-studio')).toHaveLength(63);
});

it('bindings of an operation name the keys that are shown', () => {
  const tool = toolOf({ type: 'object', properties: { 'X-A': { type: 'string' } } }, { _meta: { 'hubgate/operation': { bindings: { 'X-A': 'header:X-A' } } } }); // prettier-ignore
  expect(toolForm(tool, 'gemini').definition._meta).toEqual({ 'hubgate/operation': { bindings: { X_A: 'header:X-A' } } });
});
