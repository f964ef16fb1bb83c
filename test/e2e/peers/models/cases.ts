import assert from 'node:assert/strict';
import type { RecordedRequest } from '../../../support/mock-providers/server.mjs';
import type { Ask, Driver, Failure, Seen, Tool, Turn } from './ask.ts';
import type { ProviderUnderTest } from './providers.ts';

/** One cell of the table, ready to be run. */
export interface Cell {
  readonly driver: Driver;
  readonly base: string;
  readonly provider: ProviderUnderTest;
  /** The clients speak to the mocks themselves. */
  readonly direct: boolean;
  /** A name of a model that no other cell has. */
  readonly model: string;
  /** The requests of this cell that reached the mock. */
  recorded(): readonly RecordedRequest[];
}

export interface Case {
  readonly name: string;
  /** Waits for a time limit of the hub, and costs nothing meanwhile. */
  readonly waits?: boolean;
  /** Clients that have it; absent: all. */
  readonly needs?: 'embed' | 'models' | 'count';
  /** Throws when the cell fails. */
  run(cell: Cell): Promise<void>;
}

/** A pixel. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
const PDF = Buffer.from('%PDF-1.4\n%%EOF\n').toString('base64');
const UNICODE = 'Zürich 🌧️ e\u0301 東京 👩‍👩‍👧 ﷽ \u{1F9EA}';

const object = (properties: Tool['schema']): Tool['schema'] => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});
const WEATHER = { name: 'weather', schema: object({ city: { type: 'string', enum: ['Zürich 🌧️ "e\u0301"\\'] } }) };
const CLOCK = { name: 'clock', schema: object({ zone: { type: 'string', enum: ['東京'] }, hours: { type: 'integer', minimum: 24 } }) };
const PING = { name: 'ping', schema: object({}) };
const WEATHER_ARGS = { city: 'Zürich 🌧️ "e\u0301"\\' };
const CLOCK_ARGS = { zone: '東京', hours: 24 };
const PERSON = object({ name: { type: 'string' }, age: { type: 'integer' } });

const user = (text: string): Turn => ({ role: 'user', text });
const HELLO = [user('hello there')];

export function ask(cell: Cell, more: Partial<Ask> & { readonly fault?: string } = {}): Promise<Seen> {
  const { fault, ...rest } = more;
  return cell.driver.chat(cell.base, { turns: HELLO, ...rest, model: fault === undefined ? cell.model : `${cell.model}:fault=${fault}` });
}

/** What the client showed instead of an answer; fails when it took it for one. */
export async function failing(cell: Cell, more: Parameters<typeof ask>[1]): Promise<Failure> {
  let seen: Seen;
  try {
    seen = await ask(cell, more);
  } catch (thrown) {
    return cell.driver.failure(thrown);
  }
  assert.fail(`taken for an answer: ${JSON.stringify({ ...seen, message: undefined })}`);
}

/** What the model makes of a text. */
export const echo = ({ provider }: Cell, text: string): string => provider.says?.(text) ?? `Echo: ${text}`;

function assertSaid(seen: Seen, text: string, finish = 'stop'): void {
  assert.equal(seen.text, text);
  assert.equal(seen.finish, finish);
  assert.deepEqual(seen.calls, []);
}

function assertCalls(seen: Seen, calls: readonly (readonly [name: string, args: unknown])[]): void {
  assert.deepEqual(
    seen.calls.map(({ name, args }) => [name, args]),
    calls,
  );
  assert.equal(new Set(seen.calls.map(({ id }) => id)).size, calls.length, 'ids are unique');
  assert.equal(seen.finish, 'tool_calls');
}

const results = (seen: Seen): Turn => ({
  role: 'tool',
  results: seen.calls.map(({ id, name }) => ({ id, name, text: `${name} is fine` })),
});

/** A tool loop: the first answer goes back in the client's own words, with the results. */
async function assertLoop(cell: Cell, more: Partial<Ask>): Promise<void> {
  const tools = [WEATHER, CLOCK];
  const first = await ask(cell, { turns: [user('weather and clock')], tools, ...more });
  assertCalls(first, [
    ['weather', WEATHER_ARGS],
    ['clock', CLOCK_ARGS],
  ]);
  const again: Turn = { role: 'again', seen: first };
  const second = await ask(cell, { turns: [user('weather and clock'), again, results(first)], tools, ...more });
  assertSaid(second, 'Tool said: weather is fine; clock is fine');
  assert.equal(cell.recorded().length, 2);
  assert.deepEqual(
    cell.recorded().map((request) => request.refused),
    [undefined, undefined],
  );
  if (!more.reasoning) return;
  assert.match(first.reasoning, /Let me think about it\./);
  // The mocks refuse what they did not sign themselves; that it is there at all has to be seen.
  const sealed = /"(?:signature|encrypted_content|thoughtSignature)":"[^"]+"|"reasoning(?:_content)?":"[^"]+"/;
  assert.match(JSON.stringify(cell.recorded()[1]?.body), sealed, 'the reasoning goes back to the vendor');
}

const sent = (cell: Cell): string => JSON.stringify(cell.recorded()[0]?.body);

const answers: readonly Case[] = [
  { name: 'plain', run: async (cell) => assertSaid(await ask(cell), echo(cell, 'hello there')) },
  { name: 'stream', run: async (cell) => assertSaid(await ask(cell, { stream: true }), echo(cell, 'hello there')) },
  {
    name: 'usage',
    run: async (cell) => assertUsage(await ask(cell), 2, 3),
  },
  {
    name: 'usage, streamed',
    run: async (cell) => assertUsage(await ask(cell, { stream: true }), 2, 3),
  },
  {
    name: 'system prompt',
    async run(cell) {
      const seen = await ask(cell, { system: 'Be very brief' });
      assertSaid(seen, 'Echo: hello there');
      assertUsage(seen, 5, 3);
    },
  },
  {
    name: 'several turns',
    async run(cell) {
      const seen = await ask(cell, { turns: [user('one two'), { role: 'assistant', text: 'three' }, user('four')] });
      assertSaid(seen, 'Echo: four');
      assertUsage(seen, 4, 2);
    },
  },
  {
    name: 'long input',
    async run(cell) {
      // Few words, so that no limit on tokens cuts the echo.
      const text = `${`${'lorem-ipsüm-'.repeat(20)} `.repeat(800)}end`;
      assertSaid(await ask(cell, { turns: [user(text)] }), `Echo: ${text}`);
    },
  },
  {
    name: 'long output',
    async run(cell) {
      const seen = await ask(cell, { fault: 'huge,kb=512', stream: true });
      assert.equal(seen.text, 'lorem ipsum '.repeat(Math.ceil((512 * 1024) / 12)));
    },
  },
  {
    name: 'Unicode, split at every byte',
    async run(cell) {
      assertSaid(await ask(cell, { turns: [user(UNICODE)], fault: 'split', stream: true }), `Echo: ${UNICODE}`);
    },
  },
  {
    name: 'parallel tools, split at every byte',
    async run(cell) {
      const seen = await ask(cell, { turns: [user('weather and clock')], tools: [WEATHER, CLOCK], fault: 'split', stream: true });
      assertCalls(seen, [
        ['weather', WEATHER_ARGS],
        ['clock', CLOCK_ARGS],
      ]);
    },
  },
  {
    name: 'image',
    async run(cell) {
      const seen = await ask(cell, { turns: [{ role: 'user', text: 'what is it', png: PNG }] });
      assertSaid(seen, `Echo: what is it [image/png, ${Buffer.from(PNG, 'base64').length} bytes]`);
    },
  },
  {
    name: 'document (PDF)',
    async run(cell) {
      const seen = await ask(cell, { turns: [{ role: 'user', text: 'what is it', pdf: PDF }] });
      assertSaid(seen, `Echo: what is it [application/pdf, ${Buffer.from(PDF, 'base64').length} bytes]`);
    },
  },
];

const tools: readonly Case[] = [
  {
    name: 'one tool',
    async run(cell) {
      assertCalls(await ask(cell, { turns: [user('the weather')], tools: [WEATHER, CLOCK] }), [['weather', WEATHER_ARGS]]);
    },
  },
  ...[false, true].map((stream) => ({
    name: stream ? 'parallel tools, streamed' : 'parallel tools',
    async run(cell: Cell) {
      const seen = await ask(cell, { turns: [user('weather and clock')], tools: [WEATHER, CLOCK], stream });
      assertCalls(seen, [
        ['weather', WEATHER_ARGS],
        ['clock', CLOCK_ARGS],
      ]);
    },
  })),
  { name: 'tool results', run: (cell) => assertLoop(cell, {}) },
  { name: 'tool results, streamed', run: (cell) => assertLoop(cell, { stream: true }) },
  {
    name: 'tool choice none',
    run: async (cell) => assertSaid(await ask(cell, { tools: [WEATHER], choice: 'none' }), echo(cell, 'hello there')),
  },
  {
    name: 'tool choice required',
    async run(cell) {
      const turns = [user('no tools please')];
      assertCalls(await ask(cell, { turns, tools: [WEATHER, CLOCK], choice: 'required' }), [['weather', WEATHER_ARGS]]);
    },
  },
  {
    name: 'tool choice named',
    async run(cell) {
      const turns = [user('no tools please')];
      assertCalls(await ask(cell, { turns, tools: [WEATHER, CLOCK], choice: { name: 'clock' } }), [['clock', CLOCK_ARGS]]);
    },
  },
  ...[false, true].map((stream) => ({
    name: stream ? 'tool without arguments, streamed' : 'tool without arguments',
    async run(cell: Cell) {
      assertCalls(await ask(cell, { turns: [user('ping')], tools: [PING], stream }), [['ping', {}]]);
    },
  })),
];

const thinking: readonly Case[] = [
  ...[false, true].map((stream) => ({
    name: stream ? 'reasoning, streamed' : 'reasoning',
    async run(cell: Cell) {
      const seen = await ask(cell, { reasoning: true, stream });
      assertSaid(seen, 'Echo: hello there');
      assert.equal(seen.reasoning, 'Let me think about it.');
    },
  })),
  ...[false, true].map((stream) => ({
    name: stream ? 'reasoning, streamed and replayed' : 'reasoning, replayed',
    run: (cell: Cell) => assertLoop(cell, { reasoning: true, stream }),
  })),
];

const settings: readonly Case[] = [
  {
    name: 'JSON schema',
    async run(cell) {
      const seen = await ask(cell, { schema: PERSON });
      assert.deepEqual(
        Object.entries(JSON.parse(seen.text) as object).map(([key, value]) => [key, typeof value]),
        [
          ['name', 'string'],
          ['age', 'number'],
        ],
      );
    },
  },
  {
    name: 'JSON mode',
    async run(cell) {
      const seen = await ask(cell, { json: true, turns: [user('as JSON')] });
      assert.deepEqual(JSON.parse(seen.text), { echo: 'as JSON' });
    },
  },
  {
    name: 'stop sequence',
    run: async (cell) => assertSaid(await ask(cell, { turns: [user('one STOP two')], stop: 'STOP' }), 'Echo: one '),
  },
  {
    name: 'token limit',
    run: async (cell) => assertSaid(await ask(cell, { turns: [user('count to 50')], maxTokens: 16, stream: true }), count(16), 'length'),
  },
  {
    name: 'temperature',
    async run(cell) {
      assertSaid(await ask(cell, { temperature: 0.25 }), 'Echo: hello there');
      assert.match(sent(cell), /"temperature":0\.25/);
    },
  },
  {
    name: 'cache breakpoint',
    async run(cell) {
      const seen = await ask(cell, { system: 'Be very brief', cache: true });
      assertSaid(seen, 'Echo: hello there');
      assert.match(sent(cell), /"(?:cache_control|prompt_cache_breakpoint|cachePoint)":/);
      assertUsage(seen, 5, 3);
    },
  },
];

const count = (to: number): string => Array.from({ length: to }, (_, i) => i + 1).join(' ');

function assertUsage({ usage }: Seen, input: number, output: number): void {
  assert.deepEqual({ input: usage?.input, output: usage?.output }, { input, output });
}

export const ANSWERS: readonly Case[] = [...answers, ...tools, ...thinking, ...settings];
