import { defineProvider } from '../../../core/contracts/provider.ts';
import { maybe } from '../formats/_read.ts';
import { geminiEmbeddings } from '../formats/gemini/embeddings.ts';
import { isOwnLink } from '../formats/gemini/contents.ts';
import { gemini } from '../formats/gemini/gemini.ts';
import { readCount } from '../formats/gemini/usage.ts';
import { geminiFailure } from './_gemini-failure.ts';

/** The Gemini API: https://ai.google.dev/api. */
export default defineProvider({
  name: 'gemini',
  options: {
    type: 'object',
    additionalProperties: false,
    properties: {
      apiKey: { description: 'The key of the account, from Google AI Studio.' },
      baseUrl: { type: 'string', description: 'In place of https://generativelanguage.googleapis.com.' },
    },
    anyOf: [{ required: ['apiKey'] }, { required: ['baseUrl'] }],
  },
  create({ apiKey, baseUrl = 'https://generativelanguage.googleapis.com' }) {
    const { origin, pathname } = new URL(baseUrl);
    const models = `${pathname.replace(/\/+$/, '')}/v1beta/models`;
    const at = (model: string, verb: string): string => `${models}/${encodeURIComponent(model)}:${verb}`;
    return {
      origin,
      auth: apiKey === undefined ? { type: 'none' } : { type: 'header', name: 'x-goog-api-key', value: apiKey },
      chat: [
        {
          codec: gemini,
          address: ({ model, stream }) => ({ path: at(model, stream ? 'streamGenerateContent?alt=sse' : 'generateContent') }),
          inlinesMedia: true,
          keepsLink: isOwnLink,
        },
      ],
      embeddings: { codec: geminiEmbeddings, address: ({ model }) => ({ path: at(model, 'batchEmbedContents') }) },
      countTokens: {
        path: (model) => at(model, 'countTokens'),
        // Only in here are system and tools counted, and here the model is asked for again.
        write: (ask) => ({
          generateContentRequest: {
            model: `models/${ask.model}`,
            ...gemini.writeRequest(ask, { model: ask.model, family: 'gemini' }).body,
          },
        }),
        read: readCount,
      },
      models: {
        path: `${models}?pageSize=1000`,
        read: (body) => maybe.list(body['models']).flatMap((one) => maybe.text(maybe.object(one)['name'])?.replace(/^models\//, '') ?? []),
      },
      family: () => 'gemini',
      readFailure: geminiFailure,
    };
  },
});
