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
