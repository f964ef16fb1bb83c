import path from 'node:path';
import { expect, it } from 'vitest';
import type { LoadedConfig } from '../../../src/config/types.ts';
import { errorsOf, load, PETSTORE } from './folder.ts';

const OVERLAY = 'overlay: 1.0.0\ninfo: { title: T, version: "1" }\nactions: [{ target: $, update: {} }]\n';
const overlaysOf = ({ overlays }: LoadedConfig): Record<string, string[]> =>
  Object.fromEntries([...overlays].map(([name, files]) => [name, files.map(({ display }) => display)]));

it('finds overlays beside documents, and those that entries name after them', async () => {
  const loaded = await load({
    'hubgate.yaml':
      'services:\n  named: { spec: specs/n.yaml, overlays: [x/1.yaml, specs/n.overlay.json, x/2.yaml] }\n  web: { url: "https://a.test/o.json", overlays: [x/1.yaml] }\n',
    'openapi-specs/pets.yaml': PETSTORE,
    'openapi-specs/pets.overlay.yaml': OVERLAY,
    'openapi-specs/pets.overlay.json': OVERLAY,
    'openapi-specs/other.yaml': PETSTORE,
    'openapi-specs/lonely.overlay.yaml': OVERLAY,
    'specs/n.yaml': PETSTORE,
    'specs/n.overlay.json': OVERLAY,
    'x/1.yaml': OVERLAY,
    'x/2.yaml': OVERLAY,
  });
  expect(errorsOf(loaded)).toEqual([]);
  expect(overlaysOf(loaded)).toEqual({
    pets: ['openapi-specs/pets.overlay.json', 'openapi-specs/pets.overlay.yaml'],
    named: ['specs/n.overlay.json', 'x/1.yaml', 'x/2.yaml'],
    web: ['x/1.yaml'],
  });
  expect(loaded.documents.map(({ service }) => service).sort()).toEqual(['named', 'other', 'pets']);
  expect(loaded.files.map((file) => path.basename(file))).toEqual(expect.arrayContaining(['1.yaml', '2.yaml', 'pets.overlay.yaml']));
});

it('takes a document for a document, whatever its file is called', async () => {
  const loaded = await load({ 'hubgate.yaml': '{}', 'openapi-specs/pets.yaml': PETSTORE, 'openapi-specs/pets.overlay.yaml': PETSTORE });
  expect(loaded.overlays.size).toBe(0);
  expect(loaded.documents.map(({ service }) => service).sort()).toEqual(['pets', 'pets-overlay']);
});

it('says that a file cannot be read, and goes on', async () => {
  const config = 'services: { a: { spec: a.yaml, overlays: [none.yaml, x] } }\ndocuments: { fileSize: 200B }\n';
  const loaded = await load({ 'hubgate.yaml': config, 'a.yaml': PETSTORE, 'a.overlay.yaml': OVERLAY + '#'.repeat(200), 'x/y': '' });
  expect(loaded.ok).toBe(true);
  expect(loaded.overlays.get('a')?.map(({ display, error }) => [display, error?.code])).toEqual([
    ['a.overlay.yaml', 'overlay-too-large'],
    ['none.yaml', 'overlay-missing'],
    ['x', 'overlay-missing'],
  ]);
});

it('applies example requests after the repairs beside a document, unless a document of that name is theirs', async () => {
  const loaded = await load({
    'hubgate.yaml': 'services: { pets: { spec: openapi-specs/pets.yaml, overlays: [x.yaml] } }\n',
    'openapi-specs/pets.yaml': PETSTORE,
    'openapi-specs/pets.examples.overlay.yaml': OVERLAY,
    'openapi-specs/pets.overlay.yaml': OVERLAY,
    'x.yaml': OVERLAY,
    'openapi-specs/shop.yaml': PETSTORE,
    'openapi-specs/shop.examples.yaml': PETSTORE,
    'openapi-specs/shop.examples.overlay.yaml': OVERLAY,
  });
  expect(errorsOf(loaded)).toEqual([]);
  expect(overlaysOf(loaded)).toEqual({
    pets: ['openapi-specs/pets.overlay.yaml', 'openapi-specs/pets.examples.overlay.yaml', 'x.yaml'],
    'shop-examples': ['openapi-specs/shop.examples.overlay.yaml'],
  });
});
