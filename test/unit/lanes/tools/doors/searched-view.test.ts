import { expect, it } from 'vitest';
import { compileAccess } from '../../../../../src/access/permit.ts';
import { ANONYMOUS } from '../../../../../src/core/consumer.ts';
import type { SourceEntry } from '../../../../../src/lanes/tools/doors/source-entry.ts';
import { searchSettings } from '../../../../../src/lanes/tools/doors/search-settings.ts';
import { buildView, versionOf, type View } from '../../../../../src/lanes/tools/doors/view.ts';
import type { ExposedTool } from '../../../../../src/lanes/tools/doors/virtual-server.ts';

const access = compileAccess(undefined);

function exposed(name: string, description = ''): ExposedTool {
  const definition = { name, description, inputSchema: { type: 'object' } };
  const tool = { definition, risk: 'read', tags: [], name, source: 'shop', sourceName: name } as const;
  return { tool, access, accessName: name, entry: {} as SourceEntry };
}

function viewOf(tools: readonly ExposedTool[], mode: 'on' | 'off'): View {
  const offer = { tools, resources: [], resourceTemplates: [], prompts: [], takes: () => true };
  return buildView(offer, ANONYMOUS, 'default', searchSettings({ mode }));
}

it('gives a tool with the name of a search tool another one, under which it can be found and called', () => {
  const view = viewOf([exposed('search_tools'), exposed('shop_search_tools'), exposed('search_agents')], 'on');
  expect([...view.tools.keys()]).toEqual(['shop_search_tools_', 'shop_search_tools', 'search_agents']);
  expect(view.tool('shop_search_tools_')!.shown.name).toBe('shop_search_tools_');
  expect(view.tool('shop_search_tools_')!.tool.sourceName).toBe('search_tools');
});

it('leaves the name where the list is whole', () => {
  expect([...viewOf([exposed('search_tools')], 'off').tools.keys()]).toEqual(['search_tools']);
});

it('has another version for a URL with a query when any tool is described otherwise, listed or not', () => {
  const [before, after] = [viewOf([exposed('pets', 'one')], 'on'), viewOf([exposed('pets', 'two')], 'on')];
  expect(versionOf(after, 'tools', false)).toBe(versionOf(before, 'tools', false));
  expect(versionOf(after, 'tools', true)).not.toBe(versionOf(before, 'tools', true));
  expect(versionOf(after, 'prompts', true)).toBe(after.versions.prompts);
});
