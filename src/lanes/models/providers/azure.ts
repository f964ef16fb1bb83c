import { defineProvider, type Asked, type Provider, type ProviderAuth, type ProviderOptions } from '../../../core/contracts/provider.ts';
import { GatewayError } from '../../../core/errors.ts';
import { openaiChat } from '../formats/openai-chat/openai-chat.ts';
import { openaiResponses } from '../formats/openai-responses/openai-responses.ts';
import { baseUrlOption, splitBaseUrl } from './_base-url.ts';
import { openaiFailure } from './_openai-failure.ts';

const SCOPE = 'https://cognitiveservices.azure.com/.default';

/**
 * Azure OpenAI: models are called by the names of deployments. With `apiVersion` the older addresses that have the deployment in the path,
 * without it the v1 ones: https://learn.microsoft.com/azure/ai-foundry/openai/reference.
 */
export default defineProvider({
  name: 'azure',
  options: {
    type: 'object',
    additionalProperties: false,
    required: ['baseUrl'],
    properties: {
      baseUrl: baseUrlOption(undefined),
      apiKey: { description: 'A key of the resource. This or oauth2.' },
      apiVersion: {
        type: 'string',
        pattern: '^\\d{4}-\\d{2}-\\d{2}(-preview)?$',
        description: 'Such as 2024-10-21: uses the addresses with the deployment in the path. Absent: the v1 API.',
      },
      oauth2: {
        type: 'object',
        description: 'An application of Entra ID. This or apiKey.',
        additionalProperties: false,
        required: ['clientId', 'clientSecret', 'tokenUrl'],
        properties: {
          clientId: { type: 'string', minLength: 1 },
          clientSecret: { description: 'A secret of the application.' },
          tokenUrl: { type: 'string', description: 'https://login.microsoftonline.com/TENANT/oauth2/v2.0/token' },
          scopes: { type: 'array', items: { type: 'string' }, description: `Default: ${SCOPE}` },
        },
      },
    },
  },
  create,
});

function create(options: ProviderOptions): Provider {
  if (options.apiKey === undefined && options.oauth2 === undefined)
    throw new GatewayError('bad_request', 'apiKey is needed, or oauth2 with an application of Entra ID.');
  const { origin, path } = splitBaseUrl(options.baseUrl ?? '', '');
  // People copy the address with or without its end.
  const root = `${path.replace(/\/openai(?:\/v1)?$/, '')}/openai`;
  const { apiVersion } = options;
  const address = (operation: string) => (asked: Asked) => ({ path: addressOf(root, operation, apiVersion, asked.model) });
  const responses = apiVersion === undefined ? `${root}/v1/responses` : `${root}/responses?api-version=${apiVersion}`;
  return {
    origin,
    auth: authOf(options),
    chat: [
      { codec: openaiChat, address: address('chat/completions') },
      { codec: openaiResponses, address: () => ({ path: responses }) },
    ],
    embeddings: { address: address('embeddings') },
    family: () => 'openai',
    readFailure: openaiFailure,
  };
}

function addressOf(root: string, operation: string, apiVersion: string | undefined, model: string): string {
  if (apiVersion === undefined) return `${root}/v1/${operation}`;
  return `${root}/deployments/${encodeURIComponent(model)}/${operation}?api-version=${apiVersion}`;
}

function authOf({ apiKey, oauth2 }: ProviderOptions): ProviderAuth {
  if (apiKey !== undefined) return { type: 'header', name: 'api-key', value: apiKey };
  const { tokenUrl } = oauth2 ?? {};
  if (oauth2 === undefined || tokenUrl === undefined)
    throw new GatewayError('bad_request', 'azure needs apiKey, or oauth2 with a tokenUrl.');
  return { type: 'oauth2', client: { ...oauth2, tokenUrl, scopes: oauth2.scopes ?? [SCOPE] } };
}
