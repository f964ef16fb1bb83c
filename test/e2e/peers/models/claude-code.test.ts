import Anthropic from '@anthropic-ai/sdk';
import type {
  BetaContentBlockParam,
  BetaMessage,
  BetaMessageParam,
  BetaTool,
  MessageCreateParamsNonStreaming,
} from '@anthropic-ai/sdk/resources/beta/messages';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecordedRequest } from '../../../support/mock-providers/server.mjs';
import { KEY } from './ask.ts';
import { readEvents, type Wire } from './message-events.ts';
import { PROVIDERS, type ProviderUnderTest } from './providers.ts';
import { type Stage, startStage } from './stage.ts';

const object = (properties: Record<string, unknown>): BetaTool['input_schema'] => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});
const one = (value: unknown): unknown => ({ type: 'string', enum: [value] });
const COMMAND = 'grep -rn "Zürich 🌧️" \\\n  --include=\'*.ts\' | head\t-5';
const TODOS = {
  type: 'array',
  items: { type: 'object', properties: { content: one('東京 e\u0301'), status: { type: 'string', enum: ['pending', 'completed'] } } },
};
/** A dozen, as Claude Code describes its own. */
const SCHEMAS: Readonly<Record<string, BetaTool['input_schema']>> = {
  Task: object({ description: { type: 'string' }, prompt: { type: 'string' }, subagent_type: { type: 'string' } }),
  Bash: object({ command: one(COMMAND), timeout: { type: 'integer', minimum: 120000 }, run_in_background: { type: 'boolean' } }),
  Glob: object({ pattern: one('**/*.{ts,tsx}') }),
  Grep: object({
    pattern: one('log.*Error\\s{2}'),
    '-n': { type: 'boolean' },
    output_mode: { type: 'string', enum: ['content', 'count'] },
  }),
  LS: object({}),
  Read: object({ file_path: one('/tmp/ünïcode 🌧️.txt'), offset: { type: 'number' } }),
  Edit: object({ file_path: { type: 'string' }, old_string: { type: 'string' }, new_string: { type: 'string' } }),
  MultiEdit: object({ file_path: { type: 'string' }, edits: { type: 'array', items: { type: 'object', properties: {} } } }),
  Write: object({ file_path: { type: 'string' }, content: { type: 'string' } }),
  NotebookEdit: object({ notebook_path: { type: 'string' }, cell_type: { type: 'string', enum: ['code', 'markdown'] } }),
  WebFetch: object({ url: { type: 'string', format: 'uri' }, prompt: { type: 'string' } }),
  TodoList: object({ todos: TODOS }),
};
const mark = { cache_control: { type: 'ephemeral' as const } };
const TOOLS: BetaTool[] = Object.entries(SCHEMAS).map(([name, input_schema], i, all) => ({
  name,
  description: `Does what ${name} does.`,
  input_schema,
  ...(i === all.length - 1 && mark),
}));
const READ = { file_path: '/tmp/ünïcode 🌧️.txt', offset: 1 };
/** What the user asks for in each turn, and the calls that come of it. */
const TURNS: readonly (readonly [text: string, calls: readonly (readonly [name: string, input: unknown])[]])[] = [
  [
    'Use Bash, then Grep, and LS',
    [
      ['Bash', { command: COMMAND, timeout: 120000, run_in_background: true }],
      ['Grep', { pattern: 'log.*Error\\s{2}', '-n': true, output_mode: 'content' }],
      ['LS', {}],
    ],
  ],
  ['Now Read it', [['Read', READ]]],
  [
    'TodoList and Read',
    [
      ['Read', READ],
      ['TodoList', { todos: [{ content: '東京 e\u0301', status: 'pending' }] }],
    ],
  ],
];
const TARGETS = ['anthropic', 'openai', 'gemini', 'bedrock', 'vllm'];

describe('Claude Code, in the shape of its own traffic, works with other models', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterAll(() => stage?.stop());

  const targets = PROVIDERS.filter(({ name }) => TARGETS.includes(name));
  it.each(targets)('$name: three turns with tools, streamed', async (provider) => {
    const base = stage.base(provider, 'messages');
    // Without a hub only the vendor that speaks this format can be asked.
    if (base === undefined) return expect(stage.direct).toBe(true);
    const model = `${provider.model}-claude-code`;
    const wires: Wire[] = [];
    const client = clientAt(base, wires);
    const history: BetaMessageParam[] = [];
    for (const [text, calls] of TURNS) {
      const question = { type: 'text' as const, text };
      history.push({ role: 'user', content: [question] });
      // Marks move along: at most four stand at any time.
      const asked = await turn(client, model, [...history.slice(0, -1), { role: 'user', content: [{ ...question, ...mark }] }]);
      const uses = asked.content.filter((block) => block.type === 'tool_use');
      expect(uses.map(({ name, input }) => [name, input])).toEqual(calls);
      expect(asked.stop_reason).toBe('tool_use');
      history.push({ role: 'assistant', content: asked.content as BetaContentBlockParam[] });
      history.push({
        role: 'user',
        content: uses.map(({ id, name }) => ({ type: 'tool_result', tool_use_id: id, content: `${name}: ok` })),
      });
      const said = await turn(client, model, history);
      const answer = said.content.flatMap((block) => (block.type === 'text' ? [block.text] : []));
      expect(answer).toEqual([`Tool said: ${calls.map(([name]) => `${name}: ok`).join('; ')}`]);
      expect(said.stop_reason).toBe('end_turn');
      history.push({ role: 'assistant', content: said.content as BetaContentBlockParam[] });
    }
    expect(wires).toHaveLength(6);
    for (const wire of wires) expect(wire.faults).toEqual([]);
    const requests = stage.mocks[provider.mock ?? 'anthropic'].requests.filter((request) => request.model === model);
    expect(requests.map(({ refused }) => refused)).toEqual(Array.from({ length: 6 }, () => undefined));
    expectSeals(provider, requests);
  });

  it('cache marks reach Bedrock where they stood', () => {
    const bodies = stage.mocks.bedrock.requests.map(({ body }) => body);
    if (stage.direct) return expect(bodies).toEqual([]);
    expect(bodies).toHaveLength(6);
    for (const { system, toolConfig } of bodies) {
      expect(system.map((part: object) => Object.keys(part)[0])).toEqual(['text', 'cachePoint', 'text', 'cachePoint']);
      expect(toolConfig.tools).toHaveLength(13);
      expect(Object.keys(toolConfig.tools.at(-1))).toEqual(['cachePoint']);
    }
    expect(bodies[0].messages[0].content.map((part: object) => Object.keys(part)[0])).toEqual(['text', 'cachePoint']);
  });
});

function clientAt(base: string, wires: Wire[]): Anthropic {
  return new Anthropic({
    baseURL: base,
    authToken: KEY,
    apiKey: null,
    maxRetries: 0,
    fetch: async (url, init) => {
      const answer = await fetch(url, init);
      const copy = answer.clone();
      wires.push(readEvents(await copy.text()));
      return answer;
    },
  });
}

async function turn(client: Anthropic, model: string, messages: readonly BetaMessageParam[]): Promise<BetaMessage> {
  const body: MessageCreateParamsNonStreaming = {
    model,
    max_tokens: 32_000,
    system: [
      { type: 'text', text: 'You are Claude Code, the official CLI of Anthropic for Claude.', ...mark },
      { type: 'text', text: 'You help with software engineering. '.repeat(200), ...mark },
    ],
    tools: TOOLS,
    thinking: { type: 'enabled', budget_tokens: 2_048 },
    metadata: { user_id: 'user_0000_account__session_0000' },
    betas: ['claude-code-20250219', 'interleaved-thinking-2025-05-14', 'fine-grained-tool-streaming-2025-05-14'],
    messages: structuredClone(messages) as BetaMessageParam[],
  };
  return client.beta.messages.stream(body).finalMessage();
}

/** Signatures of reasoning go back byte for byte, where the vendor has them: the mocks refuse those that they did not make. */
function expectSeals({ name }: ProviderUnderTest, requests: readonly RecordedRequest[]): void {
  const seals = (request: RecordedRequest | undefined, key: string): string[] => {
    const found = JSON.stringify(request?.body ?? {}).matchAll(new RegExp(`"${key}":("(?:[^"\\\\]|\\\\.)*")`, 'g'));
    return [...found].map(([, value = '""']) => JSON.parse(value) as string);
  };
  const last = requests.at(-1);
  // Five answers stand in the last request: three with calls.
  if (name === 'bedrock' || name === 'anthropic') expect(seals(last, 'signature').length).toBeGreaterThanOrEqual(3);
  if (name === 'gemini') {
    const made = seals(last, 'thoughtSignature');
    expect(made.length).toBeGreaterThanOrEqual(3);
    expect(made).not.toContain('skip_thought_signature_validator');
  }
}
