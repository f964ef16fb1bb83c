import {
  defineProvider,
  type Address,
  type Asked,
  type ChatSurface,
  type Provider,
  type ProviderAuth,
  type ProviderOptions,
} from '../../../core/contracts/provider.ts';
import type { JsonObject } from '../../../core/json.ts';
import { anthropicMessages } from '../formats/anthropic-messages/anthropic-messages.ts';
import { GatewayError } from '../../../core/errors.ts';
import { isOwnLink } from '../formats/gemini/contents.ts';
import { gemini } from '../formats/gemini/gemini.ts';
import { readCount } from '../formats/gemini/usage.ts';
import { openaiChat } from '../formats/openai-chat/openai-chat.ts';
import { splitBaseUrl } from './_base-url.ts';
import { geminiFailure } from './_gemini-failure.ts';

/** Locations of several regions, whose host is named otherwise. */
const MULTI_REGIONS = new Set(['us', 'eu']);
const ANTHROPIC_VERSION = 'vertex-2023-10-16';

/**
 * Vertex AI: Gemini models by default, Claude with `api: anthropic`, and what its OpenAI-compatible endpoint serves with `api: openai`. Who wants
 * several of them has an entry for each: the format decides how a model is asked.
 */
export default defineProvider({
  name: 'vertex',
  options: {
    type: 'object',
    additionalProperties: false,
    properties: {
      project: { type: 'string', description: 'The id of the project of Google Cloud.' },
      region: { type: 'string', pattern: '^[a-z0-9-]+$', description: 'Such as europe-west4, eu or global. Default: global.' },
      serviceAccount: { description: 'The JSON key file of a service account.' },
      apiKey: { description: 'An access token, in place of a service account.' },
      api: { enum: ['gemini', 'anthropic', 'openai'], description: 'Default: gemini.' },
      baseUrl: { type: 'string', description: "In place of Google's address of the region." },
    },
    required: ['project'],
  },
  create(options): Provider {
    const { project = '', region = 'global', api = 'gemini', baseUrl } = options;
    if ((options.serviceAccount === undefined) === (options.apiKey === undefined))
      throw new GatewayError('bad_request', 'serviceAccount is needed, or an access token as apiKey, and not both.');
    const { origin, path } = splitBaseUrl(baseUrl ?? `https://${hostOf(region)}`, '');
    const location = `${path}/v1/projects/${encodeURIComponent(project)}/locations/${region}`;
    return { origin, auth: authOf(options), ...interfaceOf(api, location), readFailure: geminiFailure };
  },
});

function hostOf(region: string): string {
  if (region === 'global') return 'aiplatform.googleapis.com';
  return MULTI_REGIONS.has(region) ? `aiplatform.${region}.rep.googleapis.com` : `${region}-aiplatform.googleapis.com`;
}

function authOf({ serviceAccount, apiKey }: ProviderOptions): ProviderAuth {
  if (serviceAccount !== undefined) return { type: 'google', serviceAccount };
  return apiKey === undefined ? { type: 'none' } : { type: 'header', name: 'authorization', prefix: 'Bearer ', value: apiKey };
}

type Interface = Pick<Provider, 'chat' | 'countTokens' | 'family'>;

function interfaceOf(api: string, location: string): Interface {
  if (api === 'anthropic') return claude(`${location}/publishers/anthropic/models`);
  if (api === 'openai') {
    return {
      chat: [{ codec: openaiChat, address: () => ({ path: `${location}/endpoints/openapi/chat/completions` }) }],
      family: (model) => (model.includes('gemini') ? 'gemini' : (model.split('/', 1)[0] ?? model)),
    };
  }
  return google(`${location}/publishers/google/models`);
}

function google(models: string): Interface {
  const at = (model: string, verb: string): string => `${models}/${encodeURIComponent(model)}:${verb}`;
  return {
    chat: [
      {
        codec: gemini,
        address: ({ model, stream }) => ({ path: at(model, stream ? 'streamGenerateContent?alt=sse' : 'generateContent') }),
        inlinesMedia: true,
        keepsLink: isOwnLink,
      },
    ],
    countTokens: {
      path: (model) => at(model, 'countTokens'),
      write(ask) {
        // CountTokensRequest has no toolConfig.
        const { toolConfig: _, ...body } = gemini.writeRequest(ask, { model: ask.model, family: 'gemini' }).body;
        return body;
      },
      read: readCount,
    },
    family: () => 'gemini',
  };
}

/** Claude on Vertex: the Messages format, with the model in the path and the version in the body. */
function claude(models: string): Interface {
  const address = ({ model, stream, headers }: Asked): Address => {
    const beta = headers['anthropic-beta'];
    return {
      // Versions are written `@20250929`, and stay so.
      path: `${models}/${encodeURIComponent(model).replaceAll('%40', '@')}:${stream ? 'streamRawPredict' : 'rawPredict'}`,
      ...(beta !== undefined && { headers: { 'anthropic-beta': String(beta) } }),
    };
  };
  const adapt = (body: JsonObject): JsonObject => {
    const { model: _, ...rest } = body;
    return { anthropic_version: ANTHROPIC_VERSION, ...rest };
  };
  const surface: ChatSurface = { codec: anthropicMessages, address, adapt };
  return { chat: [surface], countTokens: { path: () => `${models}/count-tokens:rawPredict` }, family: () => 'anthropic' };
}
