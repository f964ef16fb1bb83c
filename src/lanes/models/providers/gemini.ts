import { defineProvider } from '../../../core/contracts/provider.ts';
import { GatewayError } from '../../../core/errors.ts';
import { maybe } from '../formats/_read.ts';
import { geminiEmbeddings } from '../formats/gemini/embeddings.ts';
import { isOwnLink } from '../formats/gemini/contents.ts';
import { gemini } from '../formats/gemini/gemini.ts';
import { readCount } from '../formats/gemini/usage.ts';
import { splitBaseUrl } from './_base-url.ts';
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
  },
  create({ apiKey, baseUrl = 'https://generativelanguage.googleapis.com' }) {
    if (apiKey === undefined && baseUrl === 'https://generativelanguage.googleapis.com')
      throw new GatewayError('bad_request', 'apiKey is needed, a key from Google AI Studio.');
    const { origin, path } = splitBaseUrl(baseUrl, '');
    // People copy the address with or without its version.
    const models = `${path.replace(/\/v1beta$/, '')}/v1beta/models`;
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
