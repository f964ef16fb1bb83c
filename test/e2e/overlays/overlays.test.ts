import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Hub, startHub } from '../../support/start-hub.ts';

const DOCUMENT = `openapi: 3.1.0
info: { title: Shop, version: '1' }
servers: [{ url: 'http://127.0.0.1:9' }]
paths:
  /a: { get: { operationId: a, responses: {} } }
  /b: { delete: { operationId: b, responses: {} } }
`;
const overlay = (...actions: string[]): string =>
  `overlay: 1.0.0\ninfo: { title: T, version: '1' }\nactions:\n${actions.map((action) => `  - ${action}\n`).join('')}`;
const REMOVED = overlay(`{ target: "$.paths['/b']", remove: true }`);

interface Report {
  readonly ok: boolean;
  readonly tools: readonly { readonly name: string; readonly description: string }[];
  readonly warnings: readonly { readonly code: string; readonly pointer: string }[];
  readonly changes?: { readonly removed: readonly { readonly tool: string }[]; readonly changed: readonly { readonly notice: string }[] };
}

let hub: Hub;
beforeAll(async () => {
  const services = 'services:\n  other: { spec: specs/other.yaml, overlays: [repairs/other.yaml] }\n';
  const files = {
    'hubgate.yaml': services,
    'openapi-specs/shop.yaml': DOCUMENT,
    'specs/other.yaml': DOCUMENT,
    'repairs/other.yaml': REMOVED,
  };
  hub = await startHub({ files });
});
afterAll(() => hub?.stop());

async function ask<T>(path: string): Promise<T> {
  const answer = await fetch(`${hub.adminUrl}/admin/v1/${path}`, { headers: { authorization: `Bearer ${hub.adminToken}` } });
  return (await answer.json()) as T;
}
const reportOf = (name: string): Promise<Report> => ask(`services/${name}/report`);
const toolsOf = async (name: string): Promise<string[]> => (await reportOf(name)).tools.map((tool) => tool.name);
const soon = (check: () => Promise<void>): Promise<void> => vi.waitFor(check, { timeout: 5000, interval: 50 });

it('an overlay that comes beside a document changes its tools, and is no service', async () => {
  expect(await toolsOf('shop')).toEqual(['a', 'b']);
  expect(await toolsOf('other')).toEqual(['a']);
  await hub.write('openapi-specs/shop.overlay.yaml', REMOVED);
  await soon(async () => expect(await toolsOf('shop')).toEqual(['a']));
  const { sources } = await ask<{ sources: { name: string }[] }>('status');
  expect(sources.map(({ name }) => name).toSorted()).toEqual(['other', 'shop']);
  expect((await reportOf('shop')).changes).toMatchObject({ removed: [{ tool: 'b' }], changed: [] });
  await soon(async () => expect(hub.stdout() + hub.stderr()).toContain('document served: 1 removed'));
});

it('an edit of it is seen, and an action without a match is a warning', async () => {
  const edited = overlay('{ target: $.paths.*.get, update: { summary: Said better. } }', '{ target: $.nothing, remove: true }');
  await hub.write('openapi-specs/shop.overlay.yaml', edited);
  await soon(async () => expect((await reportOf('shop')).tools[0]?.description).toBe('Said better.'));
  expect((await reportOf('shop')).warnings).toMatchObject([
    { code: 'overlay_no_match', pointer: 'openapi-specs/shop.overlay.yaml#/actions/1/target' },
  ]);
});

it('a bad one keeps the last good tools and says where', async () => {
  await hub.write(
    'openapi-specs/shop.overlay.yaml',
    overlay('{ target: $.paths.*.get, update: { summary: x } }', '{ target: "$[", remove: true }'),
  );
  await soon(async () => {
    const { sources } = await ask<{ sources: { name: string; error?: string }[] }>('status');
    expect(sources.find(({ name }) => name === 'shop')?.error).toMatch(/^openapi-specs\/shop\.overlay\.yaml:5: /);
  });
  expect(await reportOf('shop')).toMatchObject({
    ok: false,
    tools: [{ name: 'a', description: 'Said better.' }, { name: 'b' }],
    error: { code: 'invalid_overlay', file: 'openapi-specs/shop.overlay.yaml', line: 5 },
  });
  await rm(join(hub.dir, 'openapi-specs/shop.overlay.yaml'));
  await soon(async () => expect(await reportOf('shop')).toMatchObject({ ok: true, warnings: [] }));
});

it('one that an entry names is watched wherever it lies', async () => {
  await hub.write('repairs/other.yaml', overlay('{ target: $.paths.*.*, update: { description: Repaired. } }'));
  await soon(async () => expect((await reportOf('other')).tools.map(({ description }) => description)).toEqual(['Repaired.', 'Repaired.']));
  await rm(join(hub.dir, 'repairs/other.yaml'));
  await soon(async () => expect(await reportOf('other')).toMatchObject({ ok: false, error: { code: 'overlay-missing' } }));
  expect(await toolsOf('other')).toEqual(['a', 'b']);
});
