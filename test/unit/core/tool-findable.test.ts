import fc from 'fast-check';
import { expect, it } from 'vitest';
import { toolFindable } from '../../../src/core/tool-findable.ts';

it('names and descriptions of parameters, path and tags are words', () => {
  const inputSchema = {
    type: 'object',
    properties: {
      owner: { type: 'string', description: 'Login of the owner' },
      body: { type: 'object', properties: { title: { description: 'Its title' } } },
      labels: { type: 'array', items: { anyOf: [{ properties: { colour: {} } }, {}] } },
    },
  };
  expect(toolFindable({ name: 'createIssue', description: 'Opens an issue', inputSchema }, { path: '/issues', tags: ['issues'] })).toEqual({
    name: 'createIssue',
    description: 'Opens an issue',
    words: ['owner', 'Login of the owner', 'body', 'title', 'Its title', 'labels', 'colour', '/issues', 'issues'],
  });
});

it.each([
  ['Create issue', 'Opens an issue', 'Create issue. Opens an issue'],
  ['Create issue', 'Create issue. Opens one.', 'Create issue. Opens one.'],
  ['Create issue', undefined, 'Create issue'],
  [undefined, 'Opens an issue', 'Opens an issue'],
  [undefined, undefined, ''],
  // Of extensions, which may give anything.
  ['Sloppy', null as never, 'Sloppy'],
  [7 as never, { text: 'x' } as never, ''],
])('title %s and description %s: %s', (title, description, expected) => {
  expect(toolFindable({ name: 'x', title, description }).description).toBe(expected);
});

it('reads a bounded part of any schema', () => {
  const endless: Record<string, unknown> = { type: 'object' };
  endless['properties'] = Object.fromEntries(Array.from({ length: 50 }, (_, number) => [`p${number}`, endless]));
  expect(toolFindable({ name: 'x', inputSchema: endless }).words!.join('').length).toBeLessThanOrEqual(5000);
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('properties', 'items', 'anyOf', 'description', 'x'), fc.jsonValue()), (inputSchema) => {
      for (const word of toolFindable({ name: 'x', inputSchema }).words!) expect(typeof word).toBe('string');
    }),
  );
});

it('reads the first 2,000 characters of a description, and of names no more than of all words', () => {
  const inputSchema = { properties: { ['n'.repeat(9_000)]: {}, other: {} } };
  const { description, words } = toolFindable({ name: 'x', title: 't'.repeat(1_500), description: 'd'.repeat(9_000), inputSchema });
  expect(description).toBe(`${'t'.repeat(1_500)}. ${'d'.repeat(498)}`);
  expect(words!.map((word) => word.length)).toEqual([4_000]);
});
