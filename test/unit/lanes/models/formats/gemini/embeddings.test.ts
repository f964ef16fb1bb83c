import { describe, expect, it } from 'vitest';
import { geminiEmbeddings } from '../../../../../../src/lanes/models/formats/gemini/embeddings.ts';

describe('embeddings of Gemini', () => {
  it('are asked for in one batch', () => {
    const body = { model: 'emb', input: ['a', 'b'], dimensions: 8, encoding_format: 'base64', user: 'u' };
    expect(geminiEmbeddings.write(body, 'gemini-embedding-2')).toEqual({
      body: {
        requests: ['a', 'b'].map((text) => ({
          model: 'models/gemini-embedding-2',
          content: { parts: [{ text }] },
          outputDimensionality: 8,
        })),
      },
      dropped: ['user'],
    });
    expect(geminiEmbeddings.write({ input: 'a' }, 'e').body).toEqual({
      requests: [{ model: 'models/e', content: { parts: [{ text: 'a' }] } }],
    });
  });

  it.each([[[1, 2]], [[[1, 2], [3]]], [[]], [undefined], [{ text: 'a' }]])('take no input like %j', (input) => {
    expect(() => geminiEmbeddings.write({ input }, 'e')).toThrow(expect.objectContaining({ code: 'bad_request' }));
  });

  it('are read with what they cost, where that is said', () => {
    const embeddings = [{ values: [0.5, -1] }, { values: [1, 2] }];
    expect(geminiEmbeddings.read({ embeddings, usageMetadata: { promptTokenCount: 4 } })).toEqual({
      vectors: [
        [0.5, -1],
        [1, 2],
      ],
      usage: { inputTokens: 4 },
    });
    expect(geminiEmbeddings.read({ embeddings }).usage).toEqual({});
  });

  it.each([[{}], [{ embeddings: [] }], [{ embeddings: [{}] }], [{ embeddings: [{ values: ['1'] }] }]])('cannot be read from %j', (body) => {
    expect(() => geminiEmbeddings.read(body)).toThrow(expect.objectContaining({ code: 'upstream_failed' }));
  });
});
