import {
  defineProvider,
  type ChatSurface,
  type Provider,
  type ProviderAuth,
  type ProviderOptions,
} from '../../../core/contracts/provider.ts';
import { GatewayError } from '../../../core/errors.ts';
import { maybe } from '../formats/_read.ts';
import { bedrockConverse } from '../formats/bedrock-converse/bedrock-converse.ts';
import { openaiChat } from '../formats/openai-chat/openai-chat.ts';
import { splitBaseUrl } from './_base-url.ts';
import { bedrockFailure } from './_bedrock-failure.ts';

/** Where a cross-region inference profile may run; stands before the id of its model. */
const GEOGRAPHY = /^(?:us-gov|us|eu|apac|global|jp|au|ca)\./;
const OPENAI_PATH = '/openai/v1/chat/completions';

/** Amazon Bedrock: models of many vendors by Converse, or those of OpenAI by OpenAI's own format (`api: openai`). */
export default defineProvider({
  name: 'bedrock',
  options: {
    type: 'object',
    additionalProperties: false,
    properties: {
      baseUrl: { type: 'string', description: "In place of Amazon's address of the region." },
      region: { type: 'string', description: 'Such as eu-central-1.' },
      api: { enum: ['converse', 'openai'], description: 'Default: converse.' },
      apiKey: { description: 'A Bedrock API key; in place of an access key.' },
      accessKeyId: { type: 'string' },
      secretAccessKey: {},
      sessionToken: { description: 'Of a temporary access key.' },
    },
    dependentRequired: { accessKeyId: ['secretAccessKey', 'region'], secretAccessKey: ['accessKeyId'], sessionToken: ['accessKeyId'] },
  },
  create(options): Provider {
    const { baseUrl, region = '', api = 'converse', apiKey, accessKeyId } = options;
    // Without a key, `headers` of the entry may carry what a private address wants.
    if (baseUrl === undefined && (region === '' || (apiKey === undefined && accessKeyId === undefined)))
      throw new GatewayError('bad_request', 'region is needed, and apiKey or accessKeyId with secretAccessKey.');
    const { origin, path } = splitBaseUrl(baseUrl ?? `https://bedrock-runtime.${region}.amazonaws.com`, '');
    return {
      origin,
      auth: authOf(options, region),
      chat: [api === 'openai' ? openaiSurface(path) : converseSurface(path)],
      countTokens: {
        path: (model) => `${path}/model/${encodeURIComponent(model.replace(GEOGRAPHY, ''))}/count-tokens`,
        write(ask) {
          const { body } = bedrockConverse.writeRequest(ask, { model: ask.model, family: familyOf(ask.model) });
          const { messages, system, toolConfig } = body;
          return {
            input: {
              converse: { messages, ...(system === undefined ? {} : { system }), ...(toolConfig === undefined ? {} : { toolConfig }) },
            },
          };
        },
        read(body) {
          const count = maybe.number(body['inputTokens']);
          if (count === undefined) throw new GatewayError('upstream_failed');
          return count;
        },
      },
      family: familyOf,
      readFailure: bedrockFailure,
    };
  },
});

function authOf({ apiKey, accessKeyId, secretAccessKey, sessionToken }: ProviderOptions, region: string): ProviderAuth {
  if (apiKey !== undefined) return { type: 'header', name: 'authorization', prefix: 'Bearer ', value: apiKey };
  if (accessKeyId === undefined || secretAccessKey === undefined) return { type: 'none' };
  return {
    type: 'sigv4',
    service: 'bedrock',
    region,
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
  };
}

function converseSurface(prefix: string): ChatSurface {
  return {
    codec: bedrockConverse,
    address: ({ model, stream }) => ({ path: `${prefix}/model/${encodeURIComponent(model)}/${stream ? 'converse-stream' : 'converse'}` }),
    inlinesMedia: true,
  };
}

function openaiSurface(prefix: string): ChatSurface {
  return { codec: openaiChat, address: () => ({ path: prefix + OPENAI_PATH }) };
}

/**
 * The vendor of a model: `anthropic`, whose signatures are good on each of its platforms, `amazon`, or what stands before the first dot of the id.
 * OpenAI's open models share nothing with those on its own platform.
 */
function familyOf(model: string): string {
  if (model.includes('anthropic.') || model.includes('claude')) return 'anthropic';
  if (model.includes('amazon.')) return 'amazon';
  const id = model.slice(model.lastIndexOf('/') + 1).replace(GEOGRAPHY, '');
  const dot = id.indexOf('.');
  const vendor = dot < 0 ? 'bedrock' : id.slice(0, dot);
  return vendor === 'openai' ? 'openai-open' : vendor;
}
