import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../../../src/core/json.ts';
import { inlineReferences } from '../../../../../../src/lanes/models/formats/gemini/schema.ts';

describe('references in a schema', () => {
  it('are replaced by what they name, with what stands beside them', () => {
    const schema = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: {
        home: { $ref: '#/$defs/Address', description: 'Where one lives.' },
        work: { anyOf: [{ $ref: '#/properties/home' }, { type: 'null' }] },
        $ref: { type: 'string', default: { $ref: '#/$defs/Address' } },
      },
      $defs: { Address: { type: 'object', properties: { zip: { $ref: '#/$defs/a~1b' } } }, 'a/b': { type: 'string' } },
    };
    const address = { type: 'object', properties: { zip: { type: 'string' } } };
    expect(inlineReferences(schema)).toEqual({
      type: 'object',
      properties: {
        home: { ...address, description: 'Where one lives.' },
        work: { anyOf: [{ ...address, description: 'Where one lives.' }, { type: 'null' }] },
        $ref: { type: 'string', default: { $ref: '#/$defs/Address' } },
      },
    });
  });

  it('that go in a circle stay alone, with the definitions', () => {
    const node = { type: 'object', properties: { next: { $ref: '#/$defs/Node', description: 'The next.' } } };
    const kept = { type: 'object', properties: { next: { $ref: '#/$defs/Node' } } };
    expect(inlineReferences({ type: 'object', properties: { list: { $ref: '#/$defs/Node' } }, $defs: { Node: node } })).toEqual({
      type: 'object',
      properties: { list: kept },
      $defs: { Node: { type: 'object', properties: { next: { ...kept, description: 'The next.' } } } },
    });
    expect(inlineReferences({ anyOf: [{ $ref: '#' }] })).toEqual({ anyOf: [{ $ref: '#' }] });
  });

  it('that name nothing stay', () => {
    expect(inlineReferences({ items: { $ref: '#/$defs/Missing' } })).toEqual({ items: { $ref: '#/$defs/Missing' } });
    expect(inlineReferences({ items: { $ref: 'https://example.com/a.json', title: 'A' } })).toEqual({
      items: { $ref: 'https://example.com/a.json' },
    });
  });

  it('that would double at each step stop in time', () => {
    const $defs: Record<string, JsonObject> = { d0: { type: 'string' } };
    for (let i = 1; i <= 40; i++) $defs[`d${i}`] = { items: { $ref: `#/$defs/d${i - 1}` }, not: { $ref: `#/$defs/d${i - 1}` } };
    const written = JSON.stringify(inlineReferences({ items: { $ref: '#/$defs/d40' }, $defs }));
    expect(written.length).toBeLessThan(2_000_000);
  });
});
