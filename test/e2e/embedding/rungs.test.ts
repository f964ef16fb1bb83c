import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { askAdmin } from '../../support/ask-admin.ts';
import { installFakeTransformers, writeFakeModel } from '../../support/fake-transformers.ts';
import { postModern } from '../../support/mcp-clients.ts';
import { startHub, type Hub } from '../../support/start-hub.ts';

/** A hub of which embeddings are used by the search of /mcp. */
const config = (model: string, more = ''): string => `
embedding: { model: ${model} }
search: on
services:
  pets: { spec: openapi-specs/petstore.yaml, baseUrl: demo:petstore }
providers:
  demo: { type: demo }
models:
  - { name: vectors, match: { model: vectors }, targets: [{ provider: demo }] }
${more}`;

const MINE = `
import { defineEmbedder } from 'hubgate/policy';
export default defineEmbedder({
  name: 'mine',
  options: { type: 'object', required: ['dims'], properties: { dims: { type: 'integer' } } },
  create: ({ dims }) => ({
    id: 'mine@' + dims,
    dims,
    batch: 4,
    embed: (texts) => texts.map((text) => Float32Array.from({ length: dims }, (_, at) => (at === text.length % dims ? 1 : 0))),
  }),
});
`;

const PETS = `
openapi: 3.1.0
info: { title: Pets, version: 1.0.0 }
paths:
  /pets:
    get: { operationId: listPets, summary: List all pets, responses: { '200': { description: Pets } } }
  /pets/{petId}:
    parameters: [{ name: petId, in: path, required: true, schema: { type: integer } }]
    get: { operationId: getPetById, summary: Find a pet by its id, responses: { '200': { description: A pet } } }
`;

let hub: Hub;
beforeAll(async () => {
  hub = await startHub({ files: { 'hubgate.yaml': config('auto'), 'openapi-specs/petstore.yaml': PETS } });
});
afterAll(() => hub?.stop());

const status = async (): Promise<JsonObject> => (await askAdmin(hub, 'GET', '/status')).body.semantic;
/** Serves with another model; gives its status when it is as expected. */
async function serve(model: string, expected: object, more?: string): Promise<JsonObject> {
  await hub.write('hubgate.yaml', config(model, more));
  return vi.waitFor(
    async () => {
      const now = await status();
      expect(now).toMatchObject({ requested: model, ...expected });
      return now;
    },
    { timeout: 10_000, interval: 50 },
  );
}
async function search(query: string): Promise<JsonObject> {
  const { result } = await postModern(`${hub.url}/mcp`, 'tools/call', { name: 'search_tools', arguments: { query } });
  const found = result!['structuredContent'] as JsonObject;
  expect((found['tools'] as { name: string }[]).map(({ name }) => name)).toContain('pets_listPets');
  return found;
}
const metrics = async (): Promise<string> => {
  const answer = await fetch(`${hub.adminUrl}/metrics`, { headers: { authorization: `Bearer ${hub.adminToken}` } });
  return answer.text();
};

// One after the other: each takes a rung away, or gives one back.
describe('embeddings', () => {
  it('auto without a model folder: the bundled model, not degraded, and status says what would be better', async () => {
    const reason = expect.stringContaining('hubgate models pull all-MiniLM-L6-v2');
    await serve('auto', { active: 'static', model: 'hubgate-static-en@2', dims: 256, degraded: false, reason });
    expect(await search('list the pets')).not.toHaveProperty('degraded');
  });

  it('a model folder that is absent: searches say what answers in its place, and how to bring it', async () => {
    const reason = expect.stringContaining('hubgate models pull all-MiniLM-L6-v2');
    const now = await serve('all-MiniLM-L6-v2', { active: 'static', degraded: true, reason });
    const { degraded } = await search('list the pets');
    expect(degraded).toEqual({ requested: 'all-MiniLM-L6-v2', active: 'static', reason: now['reason'] });
    expect(await metrics()).toContain('hubgate_semantic_degraded{requested="all-MiniLM-L6-v2"} 1');
  });

  it('the library absent: the same, and auto is content with the bundled model', async () => {
    await writeFakeModel(join(hub.dir, 'data/models/all-MiniLM-L6-v2'));
    const reason = expect.stringContaining('npm i -D @huggingface/transformers');
    await serve('./data/models/all-MiniLM-L6-v2', { active: 'static', degraded: true, reason });
    const { degraded } = await search('list the pets');
    expect(degraded).toMatchObject({ active: 'static', reason });
    await serve('auto', { active: 'static', degraded: false, reason });
  });

  it('the library beside hubgate.yaml: the model answers', async () => {
    await installFakeTransformers(hub.dir);
    await serve('all-MiniLM-L6-v2', { active: 'transformers', dims: 16, degraded: false });
    await vi.waitFor(async () => expect(await search('list the pets')).not.toHaveProperty('degraded'));
    expect(await metrics()).toMatch(
      /hubgate_semantic_rung\{requested="all-MiniLM-L6-v2",active="transformers",model="all-MiniLM-L6-v2@[\w-]+"\} 1/,
    );
  });

  it('its thread killed in the middle of a search: the search is answered by the next rung and says so; the model comes back', async () => {
    const { degraded } = await search('list the pets DIE');
    expect(degraded).toMatchObject({ requested: 'all-MiniLM-L6-v2', active: 'static', reason: expect.stringContaining('started again') });
    expect(await status()).toMatchObject({ active: 'static', degraded: true, reason: expect.stringContaining('started again') });
    await vi.waitFor(async () => expect(await status()).toMatchObject({ active: 'transformers', degraded: false }), { timeout: 10_000 });
    await vi.waitFor(async () => expect(await search('list the pets')).not.toHaveProperty('degraded'));
  });

  it('a corrupt file: says which folder and how it is mended; auto takes the next one', async () => {
    await writeFakeModel(join(hub.dir, 'data/models/corrupt'));
    await writeFile(join(hub.dir, 'data/models/corrupt/SHA256SUMS'), `${'0'.repeat(64)}  onnx/model_quantized.onnx\n`);
    // Until the file has been read, the reason is that the model is being loaded.
    const reason = expect.stringMatching(/^The model folder corrupt is not whole: .*hubgate models pull corrupt/);
    await serve('corrupt', { active: 'static', degraded: true, reason });
    const { degraded } = await search('list the pets');
    expect(degraded).toMatchObject({ reason });
    await writeFile(join(hub.dir, 'data/models/all-MiniLM-L6-v2/config.json'), '<html>404</html>');
    await writeFakeModel(join(hub.dir, 'data/models/zebra'));
    await serve('auto', { active: 'transformers', degraded: false, reason: expect.stringContaining('all-MiniLM-L6-v2 is not whole') });
    expect(await search('list the pets')).not.toHaveProperty('degraded');
  });

  it('no model at all: words alone, which is what was asked for', async () => {
    await serve('none', { active: 'bm25', degraded: false });
    expect(await search('list the pets')).not.toHaveProperty('degraded');
  });

  it('a route of the hub: its calls are records of the hub itself; without the route the next rung answers', async () => {
    await serve('hub:vectors', { active: 'remote', model: 'hub:vectors@vectors', dims: 64, degraded: false });
    await vi.waitFor(async () => expect(await search('list the pets')).not.toHaveProperty('degraded'));
    const { items } = (await askAdmin(hub, 'GET', '/calls?consumer=hub:embedding&limit=1')).body;
    expect(items).toMatchObject([{ operation: 'embeddings', route: 'vectors', outcome: 'ok' }]);
    await serve('hub:nothing', {
      active: 'static',
      degraded: true,
      reason: expect.stringContaining('The route of embeddings nothing fails: the model is unknown'),
    });
  });

  it('an embedder of the operator', async () => {
    await hub.write('mine.ts', MINE);
    await serve(
      'mine',
      { active: 'static', degraded: true, reason: expect.stringContaining('embedding.options') },
      'extensions: [./mine.ts]',
    );
    await hub.write('hubgate.yaml', config('mine', 'extensions: [./mine.ts]').replace('model: mine', 'model: mine, options: { dims: 5 }'));
    await vi.waitFor(async () => expect(await status()).toMatchObject({ active: 'mine', model: 'mine@5', degraded: false }), {
      timeout: 5_000,
    });
  });
});
