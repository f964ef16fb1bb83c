import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { compileDocument } from '../../../src/lanes/tools/openapi/compile.ts';

it('the example of docs/overlays.md does what the page says', async () => {
  const page = await readFile(new URL('../../../docs/overlays.md', import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = '']) => text);
  const document = blocks.find((text) => text.startsWith('openapi:'));
  const overlay = blocks.find((text) => text.startsWith('overlay:'));
  const { operations, warnings, leftOut } = compileDocument({
    name: 'shop',
    file: 'openapi-specs/shop.yaml',
    text: document!,
    overlays: [{ file: 'openapi-specs/shop.overlay.yaml', text: overlay! }],
  });
  expect({ warnings, leftOut }).toEqual({ warnings: [], leftOut: [] });
  expect(operations.map(({ tool }) => tool.definition)).toMatchObject([
    {
      name: 'list_orders',
      title: 'List orders, newest first.',
      inputSchema: { properties: { filter: { type: 'string', maxLength: 200, description: 'For example "status:open"' } } },
    },
  ]);
  expect(Object.keys(operations[0]!.tool.definition.inputSchema['properties'] as object)).toEqual(['filter']);
});
