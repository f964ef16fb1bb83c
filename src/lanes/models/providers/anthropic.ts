import { defineProvider, type Asked, type ProviderAuth, type ProviderOptions, type WireHeaders } from '../../../core/contracts/provider.ts';
import { isObject } from '../../../core/json.ts';
import { anthropicMessages } from '../formats/anthropic-messages/anthropic-messages.ts';
import { modelRules } from '../formats/anthropic-messages/request/model-rules.ts';
import { anthropicFailure } from './_anthropic-failure.ts';
import { splitBaseUrl } from './_base-url.ts';

const HOME = 'https://api.anthropic.com';

/** Counting and listing are the same in both versions. */
const ANY_VERSION = { 'anthropic-version': '2023-06-01' };

/** Anthropic's API, and servers of other makers that speak it under a `baseUrl` of their own. */
export default defineProvider({
  name: 'anthropic',
  options: {
    type: 'object',
    additionalProperties: false,
    properties: {
      baseUrl: { type: 'string', description: `Without /v1/messages. Default: ${HOME}.` },
      apiKey: { description: 'Sent as x-api-key. A server of your own may need none.' },
    },
  },
  create({ baseUrl = HOME, apiKey }) {
    const { origin, path } = splitBaseUrl(baseUrl, '');
    // People copy the address with or without its version.
    const prefix = path.replace(/\/v1$/, '');
    return {
      origin,
      auth: authOf(apiKey),
      chat: [
        {
          codec: anthropicMessages,
          address: (asked) => ({ path: `${prefix}/v1/messages`, headers: headersOf(asked) }),
        },
      ],
      countTokens: { path: () => `${prefix}/v1/messages/count_tokens`, headers: ANY_VERSION },
      models: {
        path: `${prefix}/v1/models?limit=1000`,
        headers: ANY_VERSION,
        read: (body) => (Array.isArray(body['data']) ? body['data'].flatMap(nameOf) : []),
      },
      family: () => 'anthropic',
      readFailure: anthropicFailure,
    };
  },
});

function authOf(apiKey: ProviderOptions['apiKey']): ProviderAuth {
  return apiKey ? { type: 'header', name: 'x-api-key', value: apiKey } : { type: 'none' };
}

/** What a caller of the same format says goes on; else the version under which `writeRequest` writes for the model. */
function headersOf({ model, headers }: Asked): Record<string, string> {
  const beta = joined(headers, 'anthropic-beta');
  return {
    'anthropic-version': joined(headers, 'anthropic-version') ?? modelRules(model).apiVersion,
    ...(beta !== undefined && { 'anthropic-beta': beta }),
  };
}

function joined(headers: WireHeaders, name: string): string | undefined {
  const value = headers[name];
  return value === undefined || typeof value === 'string' ? value : value.join(',');
}

function nameOf(model: unknown): string[] {
  return isObject(model) && typeof model['id'] === 'string' ? [model['id']] : [];
}
