import { describe, expect, it } from 'vitest';
import { checkModelName, namedModels } from '../../../../src/gateway/evaluation/named-models.ts';

const CONFIG = {
  embedding: { model: 'auto' },
  search: { mode: 'on', model: './models/own' },
  virtualServers: { desk: { search: { model: 'desk-model' } } },
  intentRouting: { model: 'hub:vectors' },
  policies: [
    { use: 'semantic-cache', options: { model: 'cache-model' } },
    { use: './own.ts', options: { nested: [{ embeddingModel: 'own-model' }] } },
  ],
  models: [{ match: { model: 7 }, targets: null }],
};

describe('models that a configuration names', () => {
  it('are found wherever they stand', () => {
    expect([...namedModels(CONFIG)].toSorted()).toEqual(['./models/own', 'auto', 'cache-model', 'desk-model', 'hub:vectors', 'own-model']);
    expect(namedModels(undefined)).toEqual(new Set());
  });

  it.each([undefined, 'auto', 'none', 'all-MiniLM-L6-v2', './models/own', 'hub:vectors'])('%s may be asked for', (model) => {
    expect(() => checkModelName(model, CONFIG)).not.toThrow();
  });

  it.each(['/etc/made-up', '../elsewhere', './models/other', 'hub:chat', 'a/b', '', '.'])('"%s" may not', (model) => {
    expect(() => checkModelName(model, CONFIG)).toThrow(expect.objectContaining({ code: 'bad_request' }));
  });
});
