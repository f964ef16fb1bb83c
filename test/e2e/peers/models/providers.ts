import type { Mocks } from '../../../support/mock-providers/server.mjs';
import type { Door } from './ask.ts';

/** Why a case cannot pass: a property of the vendor's interface, never of the hub. */
export interface Fact {
  readonly cases: readonly string[];
  /** Absent: at every door, with every client. */
  readonly doors?: readonly Door[];
  readonly clients?: readonly string[];
  readonly why: string;
}

/** A vendor as the hub is configured for it, and what is to be expected of it. */
export interface ProviderUnderTest {
  readonly name: string;
  /** The start of the names of its models; each cell adds a number of its own. */
  readonly model: string;
  readonly mock?: keyof Omit<Mocks, 'reset' | 'close'>;
  /** The entry below `providers:`, without time limits. */
  config(mocks: Mocks): Readonly<Record<string, unknown>>;
  /** Where a client of a door can be pointed at the mock itself, to prove the cases without a hub. Without `/v1`. */
  readonly direct?: (mocks: Mocks) => Partial<Record<Door, string>>;
  /** Its 429 says when to come again. */
  readonly retryHint: boolean;
  readonly facts: readonly Fact[];
  /** What its model makes of a text. Default: an echo. */
  says?(text: string): string;
  /** The cases that its model is good for; absent: all. */
  readonly only?: readonly string[];
}

/** A secret that the hub reads from its environment. */
const SECRET = '${env:MOCK_KEY}';
const AWS_SECRET = '${env:MOCK_AWS_SECRET}';
export const SECRETS = { MOCK_KEY: 'sk-mock', MOCK_AWS_SECRET: 'mock-secret' };

const REPLAYS = ['reasoning, replayed', 'reasoning, streamed and replayed'];
const silentChat: Fact = {
  cases: ['reasoning', 'reasoning, streamed', ...REPLAYS],
  doors: ['chat'],
  why: "OpenAI's chat completions never return the reasoning; its Responses API does.",
};
const unsigned: Fact = {
  cases: REPLAYS,
  clients: ['ai openai-compatible'],
  why: 'Claude takes reasoning back only with its signature, which the client does not send: it drops `reasoning_details`.',
};
const schemaOnly: Fact = { cases: ['JSON mode'], doors: ['chat', 'responses'], why: 'The API has JSON with a schema only.' };
const ownCache: Fact = {
  cases: ['cache breakpoint'],
  doors: ['responses', 'messages'],
  why: 'It knows no marks: its cache works by itself.',
};
const noEmbeddings: Fact = { cases: ['embeddings, float', 'embeddings, base64'], why: 'Anthropic has no embeddings.' };

const converseOnly: Fact = { ...noEmbeddings, why: 'Converse has no embeddings: each maker takes them in a form of its own.' };
const noCredit: Fact = {
  cases: ['no credit at the vendor'],
  why: 'It has no error of its own for this: a bill that is not paid looks like a limit, or there are no bills.',
};
const noRefusal: Fact = {
  cases: ['content that is refused'],
  why: 'It refuses content inside an answer, as the reason why that ended, and not with an error.',
};

export const PROVIDERS: readonly ProviderUnderTest[] = [
  {
    name: 'openai',
    model: 'gpt-mock',
    mock: 'openai',
    config: ({ openai }) => ({ type: 'openai', baseUrl: `${openai.url}/v1`, apiKey: SECRET }),
    direct: ({ openai }) => ({ chat: openai.url, responses: openai.url }),
    retryHint: true,
    facts: [silentChat],
  },
  {
    name: 'anthropic',
    model: 'claude-mock',
    mock: 'anthropic',
    config: ({ anthropic }) => ({ type: 'anthropic', baseUrl: anthropic.url, apiKey: SECRET }),
    direct: ({ anthropic }) => ({ messages: anthropic.url }),
    retryHint: true,
    facts: [
      noEmbeddings,
      noRefusal,
      { cases: ['temperature'], why: 'Since its version 2026-10-21 the API takes no sampling parameters.' },
      schemaOnly,
      unsigned,
      {
        cases: ['no usage'],
        clients: ['ai anthropic'],
        why: 'This client refuses a message without usage, which the vendor never sends; bytes pass.',
      },
      {
        cases: ['no usage, streamed'],
        doors: ['messages'],
        why: 'Its clients refuse a stream without usage, which the vendor never sends; bytes pass.',
      },
    ],
  },
  {
    name: 'gemini',
    model: 'gemini-3-mock',
    mock: 'gemini',
    config: ({ gemini }) => ({ type: 'gemini', baseUrl: gemini.url, apiKey: SECRET }),
    retryHint: true,
    facts: [noCredit, noRefusal, { cases: ['cache breakpoint'], why: 'Gemini has no cache marks in a prompt.' }],
  },
  {
    name: 'azure',
    model: 'az-gpt-mock',
    mock: 'azure',
    config: ({ azure }) => ({ type: 'azure', baseUrl: azure.url, apiKey: SECRET }),
    direct: ({ azure }) => ({ chat: `${azure.url}/openai`, responses: `${azure.url}/openai` }),
    retryHint: true,
    facts: [silentChat, noCredit],
  },
  {
    name: 'azure deployments',
    model: 'azd-gpt-mock',
    mock: 'azure',
    config: ({ azure }) => ({ type: 'azure', baseUrl: azure.url, apiKey: SECRET, apiVersion: '2025-04-01-preview' }),
    retryHint: true,
    facts: [silentChat, noCredit],
  },
  {
    name: 'bedrock',
    model: 'us.anthropic.claude-mock',
    mock: 'bedrock',
    config: ({ bedrock }) => ({
      type: 'bedrock',
      baseUrl: bedrock.url,
      region: 'us-east-1',
      accessKeyId: 'AKIAMOCK',
      secretAccessKey: AWS_SECRET,
    }),
    retryHint: false,
    facts: [converseOnly, schemaOnly, unsigned, noCredit, noRefusal],
  },
  {
    name: 'bedrock key',
    model: 'eu.anthropic.claude-mock',
    mock: 'bedrock',
    config: ({ bedrock }) => ({ type: 'bedrock', baseUrl: bedrock.url, region: 'eu-central-1', apiKey: SECRET }),
    retryHint: false,
    facts: [converseOnly, schemaOnly, unsigned, noCredit, noRefusal],
  },
  {
    name: 'ollama',
    model: 'llama-mock',
    mock: 'ollama',
    config: ({ ollama }) => ({ type: 'ollama', baseUrl: ollama.url }),
    direct: ({ ollama }) => ({ chat: ollama.url }),
    retryHint: false,
    facts: [
      ownCache,
      noCredit,
      noRefusal,
      { cases: ['prompt that is too long'], why: 'Ollama cuts a prompt that is too long, and says nothing.' },
      { cases: ['document (PDF)'], why: 'Ollama takes texts and images only.' },
      {
        cases: ['tool choice none', 'tool choice required', 'tool choice named'],
        why: 'Ollama takes tool_choice and does not look at it.',
      },
      {
        cases: ['reasoning', 'reasoning, streamed'],
        clients: ['langchain'],
        why: 'Ollama calls it `reasoning`, the client reads `reasoning_content` only; bytes pass.',
      },
    ],
  },
  {
    name: 'vllm',
    model: 'qwen-mock',
    mock: 'vllm',
    config: ({ vllm }) => ({ type: 'vllm', baseUrl: `${vllm.url}/v1`, apiKey: SECRET }),
    direct: ({ vllm }) => ({ chat: vllm.url }),
    retryHint: false,
    facts: [ownCache, noCredit, noRefusal],
  },
  {
    name: 'demo',
    model: 'demo-mock',
    config: () => ({ type: 'demo' }),
    retryHint: false,
    says: (text) => `You said: "${text}". I am the demo model inside this hub: I repeat, and I call tools when I am offered some.`,
    only: ['plain', 'stream', 'one tool', 'tool choice none', 'JSON schema', 'route with a name', 'list of models', 'counting tokens'],
    facts: [],
  },
];
