import {
  defineProvider,
  type Asked,
  type ChatSurface,
  type Provider,
  type ProviderAuth,
  type ProviderExtension,
  type ProviderOptions,
} from '../../../core/contracts/provider.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import { openaiChatWith, type ChatQuirks } from '../formats/openai-chat/openai-chat.ts';
import { openaiResponses } from '../formats/openai-responses/openai-responses.ts';
import { baseUrlOption, splitBaseUrl } from './_base-url.ts';
import { openaiFailure } from './_openai-failure.ts';

/** A vendor whose chat is OpenAI's, near enough. */
interface OpenaiCompatible {
  readonly name: string;
  /** With the path that all addresses begin with. Absent: `baseUrl` has to be configured, its path is `/v1` unless it says another. */
  readonly baseUrl?: string;
  readonly keyOptional?: boolean;
  readonly quirks: ChatQuirks;
  readonly refuses?: readonly string[];
  readonly adapt?: (body: JsonObject, asked: Asked) => JsonObject;
  readonly inlinesMedia?: boolean;
  /** Has `/embeddings`. */
  readonly embeddings?: boolean;
  /** Has `/models`. Default: yes. */
  readonly models?: boolean;
  /** Has `/responses`. */
  readonly responses?: boolean;
  /** Default: the name. */
  readonly family?: (model: string) => string;
}

export function openaiCompatible(vendor: OpenaiCompatible): ProviderExtension {
  return defineProvider({
    name: vendor.name,
    options: {
      type: 'object',
      additionalProperties: false,
      required: [...(vendor.baseUrl === undefined ? ['baseUrl'] : []), ...(vendor.keyOptional === true ? [] : ['apiKey'])],
      properties: {
        baseUrl: baseUrlOption(vendor.baseUrl),
        apiKey: { description: `The key of the account${vendor.keyOptional === true ? ', if the server wants one' : ''}.` },
      },
    },
    create: (options) => createCompatible(vendor, options),
  });
}

function createCompatible(vendor: OpenaiCompatible, options: ProviderOptions): Provider {
  const own = vendor.baseUrl === undefined ? '/v1' : splitBaseUrl(vendor.baseUrl, '').path;
  const { origin, path } = splitBaseUrl(options.baseUrl ?? vendor.baseUrl ?? '', own);
  const surface: ChatSurface = {
    codec: openaiChatWith(vendor.quirks),
    address: () => ({ path: `${path}/chat/completions` }),
    ...(vendor.adapt && { adapt: vendor.adapt }),
    ...(vendor.refuses && { refuses: vendor.refuses }),
    ...(vendor.inlinesMedia === true && { inlinesMedia: true }),
  };
  const responses: ChatSurface[] =
    vendor.responses === true ? [{ codec: openaiResponses, address: () => ({ path: `${path}/responses` }) }] : [];
  return {
    origin,
    auth: bearer(options),
    chat: [surface, ...responses],
    ...(vendor.embeddings === true && { embeddings: { address: () => ({ path: `${path}/embeddings` }) } }),
    ...(vendor.models !== false && { models: { path: `${path}/models`, read: readModels } }),
    family: vendor.family ?? (() => vendor.name),
    readFailure: openaiFailure,
  };
}

function bearer({ apiKey }: ProviderOptions): ProviderAuth {
  return apiKey === undefined ? { type: 'none' } : { type: 'header', name: 'authorization', prefix: 'Bearer ', value: apiKey };
}

/** `{data: [{id}]}`; Together gives the bare list. */
function readModels(body: unknown): readonly string[] {
  const entries = Array.isArray(body) ? body : isObject(body) && Array.isArray(body['data']) ? body['data'] : [];
  return entries.flatMap((entry) => (isObject(entry) && typeof entry['id'] === 'string' ? [entry['id']] : []));
}

/** For vendors that do not know the newer name: the limit must not be lost on a body that passes. */
export function olderMaxTokens(body: JsonObject): JsonObject {
  const { max_completion_tokens: limit, ...rest } = body;
  return limit === undefined || limit === null ? body : { max_tokens: limit, ...rest };
}

/** The family of a model at vendors that serve models of many makers. */
export function familyByName(model: string, own: string): string {
  if (/claude/i.test(model)) return 'anthropic';
  if (/gemini/i.test(model)) return 'gemini';
  if (/(?:^|\/)(?:gpt-|chatgpt-|o\d)/i.test(model)) return 'openai';
  return /grok/i.test(model) ? 'xai' : own;
}
