import type { JsonObject } from '../../../../../src/core/json.ts';
import { expect, it } from 'vitest';
import { PROFILES, type SourceTool } from '../../../../../src/core/tools.ts';
import type { ViewTool } from '../../../../../src/lanes/tools/doors/view.ts';
import { toolForm } from '../../../../../src/lanes/tools/profiles/tool-form.ts';
import { completeNext } from '../../../../../src/lanes/tools/results/next-page.ts';

const search: SourceTool = {
  definition: {
    name: 'search',
    description: 'Searches.',
    inputSchema: {
      type: 'object',
      properties: {
        page: { type: 'integer', enum: [1, 2] },
        body: { type: 'object', properties: { '@cursor': { type: 'string' }, q: { type: 'string' } } },
      },
    },
  },
  risk: 'read',
  tags: [],
};

it.each(PROFILES)('the next call is told in every form of the tool: %s', (profile) => {
  const { definition: shown, input } = toolForm(search, profile);
  const found = { tool: search, shown, ...(input && { input }) } as unknown as ViewTool;
  const given = { body: { q: 'x' } };
  const reply = { content: [], _meta: { 'hubgate/next': { page: 2, body: { '@cursor': 'c' } } } };
  const next = { body: { q: 'x', '@cursor': 'c' }, page: 2 };
  const { content, _meta } = completeNext(reply, found, given);
  expect(_meta).toEqual({ 'hubgate/next': next });
  expect(content).toEqual([{ type: 'text', text: `More: call again with ${JSON.stringify(next)}` }]);
  expect(input?.(_meta!['hubgate/next'] as JsonObject) ?? next).toEqual(next);
});
