import { expect, it } from 'vitest';
import type { JsonObject } from '../../../../../src/core/json.ts';
import type { View, ViewTool } from '../../../../../src/lanes/tools/doors/view.ts';
import { exactArguments } from '../../../../../src/lanes/tools/mcp/exact-arguments.ts';
import { askedTool } from '../../../../../src/lanes/tools/search/asked-tool.ts';

const pets = { tool: { name: 'pets' } } as ViewTool;
const view = (searchTools: readonly string[]): View =>
  ({
    searchTools: new Set(searchTools),
    search: { mode: 'off' },
    tools: new Map(),
    tool: (name: string) => (name === 'pets' ? pets : undefined),
  }) as unknown as View;
const SEARCHED = view(['search_tools', 'describe_tool', 'call_tool']);

it('takes call_tool for the call of the tool that it names', () => {
  const params = { name: 'call_tool', arguments: { name: 'pets', arguments: { id: 1 } }, _meta: { progressToken: 7 } };
  expect(askedTool(params, SEARCHED)).toMatchObject({
    name: 'pets',
    found: pets,
    search: 'call_tool',
    params: { name: 'pets', arguments: { id: 1 }, _meta: { progressToken: 7 } },
  });
});

it.each<[JsonObject, string]>([
  [{ name: 'call_tool' }, ''],
  [{ name: 'call_tool', arguments: 'pets' }, ''],
  [{ name: 'call_tool', arguments: { name: 7 } }, ''],
  [{ name: 'call_tool', arguments: { name: 'call_tool', arguments: { name: 'pets' } } }, 'call_tool'],
])('%j names no tool', (params, name) => {
  expect(askedTool(params, SEARCHED)).toMatchObject({ name, found: undefined, search: 'call_tool' });
});

it('leaves a tool of that name alone where the list is whole', () => {
  const params = { name: 'call_tool', arguments: { name: 'pets' } };
  expect(askedTool(params, view([]))).toMatchObject({ name: 'call_tool', found: undefined, search: undefined, params });
  expect(askedTool({ name: 'pets' }, SEARCHED)).toMatchObject({ name: 'pets', found: pets, search: undefined });
});

it('answers search tools where the list is whole, unless search is off or a tool has the name', () => {
  const whole = (mode: string, names: readonly string[] = []): View =>
    ({ ...view([]), search: { mode, agents: false }, tools: new Map(names.map((name) => [name, pets])) }) as unknown as View;
  const asked = (seen: View, name = 'search_tools') => askedTool({ name, arguments: { query: 'x' } }, seen).search;
  expect(asked(whole('auto'))).toBe('search_tools');
  expect(asked(whole('off'))).toBeUndefined();
  expect(asked(whole('auto', ['search_tools']))).toBeUndefined();
  expect(asked(whole('auto'), 'search_agents')).toBeUndefined();
});

it('finds the digits of long integers where the arguments were', () => {
  const text = '{"params":{"name":"call_tool","arguments":{"name":"pets","arguments":{"id":9007199254740993}}}}';
  const { params } = JSON.parse(text) as { params: JsonObject };
  const { params: own, inside } = askedTool(params, SEARCHED);
  expect(exactArguments(own['arguments'] as JsonObject, Buffer.from(text), inside)).toEqual({ id: '9007199254740993' });
});
