import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import type { Host } from '../../../../src/core/contracts/extension.ts';
import toolSelection from '../../../../src/policies/tool-selection.ts';
import { silent, staticSemantics } from '../../../support/static-semantics.ts';
import { namesOf, select } from './selecting.ts';

interface Fixture {
  readonly tools: readonly (readonly [name: string, description: string, parameters: readonly string[]])[];
  readonly queries: readonly { readonly q: string; readonly gold: readonly string[] }[];
}

it('cuts 500 tools to 20, and keeps those that are needed as a search among all of them finds them', async () => {
  const file = new URL('../../../fixtures/selection/request.json', import.meta.url);
  const fixture = JSON.parse(await readFile(file, 'utf8')) as Fixture;
  expect(fixture.tools).toHaveLength(500);
  const semantics = staticSemantics();
  const host = { semantics, log: silent, shared: (_key: string, create: () => unknown) => create() } as unknown as Host;
  const hooks = await toolSelection.create({ unsure: 20 }, host);
  const tools = fixture.tools.map(([name, description, parameters]) => ({
    name,
    description,
    input_schema: { type: 'object', properties: Object.fromEntries(parameters.map((parameter) => [parameter, {}])) },
  }));
  const index = semantics.index(
    fixture.tools.map(([name, description, words]) => ({ name, description, words })),
    {},
  );
  let kept = 0;
  let found = 0;
  for (const { q, gold } of fixture.queries) {
    const call = await select({ hooks }, 'messages', { model: 'm', messages: [{ role: 'user', content: q }], tools });
    const names = namesOf(call);
    expect(names).toHaveLength(20);
    kept += gold.filter((name) => names.includes(name)).length / gold.length;
    const { hits } = await index.find(q, 20);
    found += gold.filter((name) => hits.some((hit) => fixture.tools[hit.index]![0] === name)).length / gold.length;
  }
  await semantics.close();
  expect(kept / fixture.queries.length).toBeGreaterThan(0.8);
  expect(kept).toBeGreaterThanOrEqual(found - 0.5);
});
