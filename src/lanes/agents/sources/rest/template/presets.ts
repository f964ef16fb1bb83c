import type { AgentRestConfig, RestRequestConfig } from '../../../../../config/types.ts';

type Template = Partial<Pick<AgentRestConfig, 'url' | 'request' | 'response' | 'stream' | 'cancel'>>;
type Preset = (streaming: boolean) => Template;

/**
 * Any endpoint of OpenAI's chat completions (platform.openai.com/docs/api-reference/chat): the whole conversation goes along each time. The base URL
 * ends where `/chat/completions` begins.
 */
const openaiChat: Preset = (streaming) => ({
  request: {
    path: '/chat/completions',
    body: { model: '${model}', messages: '${messages}', user: '${user}', ...(streaming ? { stream: true } : {}) },
  },
  response: { text: 'choices.0.message.content', error: 'error.message' },
  ...(streaming
    ? { stream: { text: 'choices.0.delta.content', finish: 'choices.0.finish_reason', end: ['[DONE]'], error: 'error.message' } }
    : {}),
});

/**
 * Chat, agent and chatflow applications of Dify (github.com/langgenius/dify, web/app/components/develop/template/template_chat.en.mdx). Its
 * conversations belong to one `user`, which stands for the consumer.
 */
const dify: Preset = (streaming) => ({
  url: 'https://api.dify.ai/v1',
  request: {
    path: '/chat-messages',
    body: {
      inputs: '${inputs}',
      query: '${text}',
      response_mode: streaming ? 'streaming' : 'blocking',
      conversation_id: '${conversation}',
      user: '${user}',
    },
  },
  response: { text: 'answer', conversation: 'conversation_id', error: 'message' },
  ...(streaming
    ? {
        stream: {
          type: 'event',
          text: 'answer',
          texts: ['message', 'agent_message'],
          replace: ['message_replace'],
          conversation: 'conversation_id',
          job: 'task_id',
          end: ['message_end'],
          errors: ['error'],
          error: 'message',
        },
        cancel: { path: '/chat-messages/${job}/stop', body: { user: '${user}' } },
      }
    : {}),
});

/**
 * Applications of Alibaba Model Studio (alibabacloud.com/help/en/model-studio/dashscope-api-reference). The address is Singapore's; applications of
 * other regions need their `url`.
 */
const modelStudio: Preset = (streaming) => ({
  url: 'https://dashscope-intl.aliyuncs.com',
  request: {
    path: '/api/v1/apps/${app}/completion',
    ...(streaming ? { headers: { 'X-DashScope-SSE': 'enable' } } : {}),
    body: {
      input: { prompt: '${text}', session_id: '${conversation}', biz_params: '${data}' },
      parameters: streaming ? { incremental_output: true } : {},
      debug: {},
    },
  },
  response: { text: 'output.text', conversation: 'output.session_id', error: 'message' },
  ...(streaming
    ? {
        stream: {
          text: 'output.text',
          conversation: 'output.session_id',
          finish: 'output.finish_reason',
          errors: ['error'],
          error: 'message',
        },
      }
    : {}),
});

const PRESETS: Readonly<Record<string, Preset>> = {
  'openai-chat': openaiChat,
  dify,
  'model-studio': modelStudio,
};

/** The configuration with what its preset says; what stands there itself wins, key by key, in headers and body too. */
export function withPreset(config: AgentRestConfig): AgentRestConfig {
  if (config.preset === undefined) return config;
  const { request = {}, response, stream, ...rest } = PRESETS[config.preset]!(config.streaming !== false);
  return {
    ...rest,
    ...config,
    request: mergedRequest(request, config.request ?? {}),
    response: { ...response, ...config.response },
    ...(stream === undefined ? {} : { stream: { ...stream, ...config.stream } }),
  };
}

function mergedRequest(preset: RestRequestConfig, own: RestRequestConfig): RestRequestConfig {
  return { ...preset, ...own, headers: { ...preset.headers, ...own.headers }, body: mergedBody(preset.body, own.body) };
}

function mergedBody(preset: unknown, own: unknown): unknown {
  const isMap = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);
  if (own === undefined) return preset;
  return isMap(preset) && isMap(own) ? { ...preset, ...own } : own;
}
