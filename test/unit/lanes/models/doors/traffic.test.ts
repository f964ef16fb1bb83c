import { describe, expect, it } from 'vitest';
import type { ModelRouteConfig, ProviderConfig } from '../../../../../src/config/types.ts';
import type { Cancellation, UpstreamRequest } from '../../../../../src/core/upstream.ts';
import { GatewayError } from '../../../../../src/core/errors.ts';
import { Secret } from '../../../../../src/core/secret.ts';
import type { BoundPolicy } from '../../../../../src/pipeline/chain.ts';
import { calledOff } from '../../../pipeline/plans.ts';
import { startLane, type Answer, type LaneParts, type StartedLane } from './start-lane.ts';
import { CHAT, DONE, EVENTS, MESSAGES, piece, RESPONSES, SAID, VENDORS } from './streams.ts';

const PROVIDERS = {
  a: { type: 'openai-compatible', baseUrl: 'http://a.test/v1' },
  b: { type: 'openai-compatible', baseUrl: 'http://b.test/v1' },
} as const satisfies Record<string, ProviderConfig>;
const BOTH: ModelRouteConfig = { name: 'gpt-9', targets: [{ provider: 'a' }], fallback: [{ provider: 'b' }], retries: 0 };
const BUSY: Answer = { status: 503, body: { error: { message: 'busy' } } };
const STREAM: Answer = { headers: EVENTS, body: piece('Hi', 'stop') + DONE };
const said = (request: UpstreamRequest): Answer =>
  JSON.parse(Buffer.from(request.body as Uint8Array).toString()).stream === true ? STREAM : { body: SAID };
const bodies = ({ requests }: StartedLane): string[] => requests.map(({ body }) => Buffer.from(body as Uint8Array).toString());
const hosts = ({ requests }: StartedLane): string[] => requests.map(({ origin }) => new URL(origin).hostname.replace('.test', ''));

type Answers = Readonly<Record<string, (request: UpstreamRequest, turn: number) => Answer>>;

/** Vendors by their host; those that are not named answer well. */
function vendorsOf(answers: Answers): LaneParts['vendor'] {
  const turns = new Map<string, number>();
  return (request) => {
    const host = new URL(request.origin).hostname.replace('.test', '');
    const turn = (turns.get(host) ?? 0) + 1;
    turns.set(host, turn);
    return answers[host]?.(request, turn) ?? said(request);
  };
}

function start({ answers, ...rest }: Omit<LaneParts, 'vendor'> & { readonly answers: Answers }): Promise<StartedLane> {
  return startLane({ providers: PROVIDERS, models: [BOTH], ...rest, vendor: vendorsOf(answers) });
}

describe('a target that fails', () => {
  it.each([false, true])('leads to the next with the body as it came, byte for byte; stream: %s', async (stream) => {
    const lane = await start({ answers: { a: () => BUSY } });
    const body = `{ "model":"gpt-9",  "seed": 12345678901234567890, "stream": ${stream}, "stream_options": {"include_usage":true}, "messages":[{"role":"user","content":"Z\\u00fcrich"}]}`;
    const { status, headers, text } = await lane.ask('/v1/chat/completions', body);
    expect([status, hosts(lane), bodies(lane)]).toEqual([200, ['a', 'b'], [body, body]]);
    expect(headers).not.toHaveProperty('x-should-retry');
    expect(text).toContain('Hi');
    const { outcome } = lane.records[0]!;
    expect(outcome).toMatchObject({ ok: true, attempts: 2, target: { name: 'b/gpt-9', upstream: 'b', model: 'gpt-9' } });
    expect(outcome.events.map(({ type, detail }) => `${type} ${detail}`)).toEqual([
      'failed a answered 503',
      'fallback a/* → b/* after upstream_overloaded',
    ]);
  });

  it('in another format than the next leads there all the same, with the model that the route forces', async () => {
    const lane = await start({
      providers: { a: { ...VENDORS['anthropic-messages'], baseUrl: 'http://a.test' }, b: PROVIDERS.b },
      models: [
        { name: 'gpt-9', targets: [{ provider: 'a', model: 'claude-9' }], fallback: [{ provider: 'b', model: 'gpt-real' }], retries: 0 },
      ],
      answers: { a: () => ({ status: 529, body: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } } }) },
    });
    const { status, json } = await lane.ask('/v1/messages', MESSAGES);
    expect([status, hosts(lane), json['type']]).toEqual([200, ['a', 'b'], 'message']);
    expect(bodies(lane).map((body) => (JSON.parse(body) as { model: string }).model)).toEqual(['claude-9', 'gpt-real']);
  });

  it('is tried again when there is no other, and its caller is told when that did not help', async () => {
    const models = [{ name: 'gpt-9', targets: [{ provider: 'a' }], retries: 1 }];
    const passing = await start({ models, answers: { a: (request, turn) => (turn === 1 ? BUSY : said(request)) } });
    expect((await passing.ask('/v1/chat/completions', CHAT)).status).toBe(200);
    expect(passing.records[0]!.outcome).toMatchObject({
      attempts: 2,
      events: [{ type: 'failed' }, { type: 'retried', detail: expect.stringMatching(/^a\/\* after upstream_\w+, \d+ ms later$/) }],
    });
    const lasting = await start({ models, answers: { a: () => BUSY } });
    const answer = await lasting.ask('/v1/chat/completions', CHAT);
    expect([answer.status, hosts(lasting)]).toEqual([503, ['a', 'a']]);
    expect(answer.headers['x-should-retry']).toBe('false');
  });

  it('once: its caller may try again', async () => {
    const lane = await start({ models: [{ name: 'gpt-9', targets: [{ provider: 'a' }], retries: 0 }], answers: { a: () => BUSY } });
    for (const [path, body, status] of [
      ['/v1/chat/completions', CHAT, 503],
      ['/v1/messages', MESSAGES, 529],
    ] as const) {
      const answer = await lane.ask(path, body);
      expect([answer.status, answer.headers['x-should-retry']]).toEqual([status, undefined]);
    }
  });

  it.each([
    [CHAT, '/v1/chat/completions'],
    [RESPONSES, '/v1/responses'],
    [MESSAGES, '/v1/messages'],
  ])('like all others: %j says not to try again', async (body, path) => {
    const lane = await start({ answers: { a: () => BUSY, b: () => BUSY } });
    for (const stream of [false, true]) {
      const { status, headers } = await lane.ask(path, { ...body, stream });
      expect([status, headers['x-should-retry']]).toEqual([path === '/v1/messages' ? 529 : 503, 'false']);
    }
  });

  it.each([
    [400, { error: { message: 'no', code: 'context_length_exceeded' } }, 1],
    [400, { error: { message: 'no' } }, 1],
    [401, { error: { message: 'no' } }, 2],
    [404, { error: { message: 'no', code: 'model_not_found' } }, 2],
    [429, { error: { message: 'no', code: 'rate_limit_exceeded' } }, 2],
    [500, {}, 2],
  ])('with %i %j is %i attempts', async (status, body, attempts) => {
    const lane = await start({ answers: { a: () => ({ status, body }) } });
    const answer = await lane.ask('/v1/chat/completions', CHAT);
    expect([answer.status === 200, lane.records[0]!.outcome.attempts]).toEqual([attempts === 2, attempts]);
  });

  it('as the route says leads on although it is the caller’s fault', async () => {
    const refused: Answer = { status: 400, body: { error: { message: 'no', code: 'context_length_exceeded' } } };
    const lane = await start({ models: [{ ...BOTH, fallbackOn: ['context_too_long'] }], answers: { a: () => refused } });
    expect((await lane.ask('/v1/chat/completions', CHAT)).status).toBe(200);
    expect(hosts(lane)).toEqual(['a', 'b']);
  });

  it('until nothing can be tried any more: refused with the time to wait, and no name of a target', async () => {
    const breaker = { failures: 1, open: 20_000 };
    const lane = await start({
      providers: { a: { ...PROVIDERS.a, breaker }, b: { ...PROVIDERS.b, breaker } },
      answers: { a: () => BUSY, b: () => BUSY },
    });
    await lane.ask('/v1/chat/completions', CHAT);
    const { status, headers, text } = await lane.ask('/v1/chat/completions', CHAT);
    expect([status, lane.requests.length, lane.records[1]!.outcome.attempts]).toEqual([503, 2, 0]);
    expect(Number(headers['retry-after'])).toBeGreaterThan(15);
    expect(text).not.toMatch(/a\/|b\/|\.test/);
    expect(lane.records[1]!.outcome.events).toMatchObject([{ type: 'refused', detail: 'no target can be tried now: a/*, b/*' }]);
  });
});

describe('streams', () => {
  const cut = async function* (...pieces: string[]): AsyncGenerator<Buffer> {
    for (const one of pieces) yield Buffer.from(one);
    await Promise.resolve();
    throw new GatewayError('upstream_cut');
  };

  it.each([
    [CHAT, '/v1/chat/completions'],
    [RESPONSES, '/v1/responses'],
    [MESSAGES, '/v1/messages'],
  ])('%j that break off before their first event fall back, after it they do not', async (body, path) => {
    const early = await start({ answers: { a: () => ({ headers: EVENTS, body: cut() }) } });
    const whole = await early.ask(path, { ...body, stream: true });
    expect([whole.status, hosts(early), early.records[0]!.outcome.ok]).toEqual([200, ['a', 'b'], true]);
    const late = await start({ answers: { a: () => ({ headers: EVENTS, body: cut(piece('Hi')) }) } });
    const broken = await late.ask(path, { ...body, stream: true });
    expect([broken.status, hosts(late), late.records[0]!.outcome.error?.code]).toEqual([200, ['a'], 'upstream_cut']);
    expect(broken.text).toContain('error');
    expect(late.records[0]!.outcome.attempts).toBe(1);
  });

  it('whose vendor reports a failure in the first event fall back', async () => {
    const overloaded = 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n';
    const lane = await start({
      providers: { a: { ...VENDORS['anthropic-messages'], baseUrl: 'http://a.test' }, b: PROVIDERS.b },
      answers: { a: () => ({ headers: EVENTS, body: overloaded }) },
    });
    for (const [path, body] of [
      ['/v1/messages', MESSAGES],
      ['/v1/chat/completions', CHAT],
    ] as const) {
      const { status, text } = await lane.ask(path, { ...body, stream: true });
      expect([status, text.includes('Overloaded')]).toEqual([200, false]);
    }
    expect(hosts(lane)).toEqual(['a', 'b', 'a', 'b']);
    expect(lane.records.map(({ outcome }) => outcome.ok)).toEqual([true, true]);
  });

  it('whose first token does not come in time fall back, whole answers do not', async () => {
    const models = [{ ...BOTH, timeouts: { firstToken: 200 } }];
    const silent = async function* (signal: Cancellation): AsyncGenerator<Buffer> {
      yield await calledOff(signal);
    };
    const lane = await startLane({
      providers: PROVIDERS,
      models,
      async vendor(request, signal) {
        if (new URL(request.origin).hostname !== 'a.test') return said(request);
        if (said(request) === STREAM) return { headers: EVENTS, body: silent(signal!) };
        await new Promise((resolve) => setTimeout(resolve, 250));
        return { body: SAID };
      },
    });
    const streamed = await lane.ask('/v1/chat/completions', { ...CHAT, stream: true });
    expect([streamed.status, hosts(lane)]).toEqual([200, ['a', 'b']]);
    expect(lane.records[0]!.outcome.events).toMatchObject([{ type: 'fallback', detail: 'a/* → b/* after upstream_timeout' }]);
    await lane.ask('/v1/chat/completions', CHAT);
    expect(hosts(lane)).toEqual(['a', 'b', 'a']);
  });

  it('have an end in all, when the route sets one', async () => {
    const endless = async function* (signal: Cancellation): AsyncGenerator<Buffer> {
      yield Buffer.from(piece('Hi'));
      yield await calledOff(signal);
    };
    const lane = await startLane({
      providers: PROVIDERS,
      models: [{ ...BOTH, timeouts: { total: 250 } }],
      vendor: (_, signal) => ({ headers: EVENTS, body: endless(signal!) }),
    });
    const { text } = await lane.ask('/v1/chat/completions', { ...CHAT, stream: true });
    expect(text).toContain('The call did not end within 0.25 s.');
    expect([hosts(lane), lane.records[0]!.outcome.error?.code]).toEqual([['a'], 'upstream_timeout']);
  });
});

it('the times of a route hold for the files that are fetched for a target, too', async () => {
  const body = { ...CHAT, messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://slow.test/x.png' } }] }] };
  const lane = await startLane({
    providers: { a: VENDORS['bedrock-converse'] },
    models: [{ name: 'gpt-9', targets: [{ provider: 'a' }], timeouts: { total: 50 } }],
    fetchDocument: (_, { signal }) => calledOff(signal!),
    vendor: () => expect.unreachable(),
  });
  const { status, text } = await lane.ask('/v1/chat/completions', body);
  expect([status, lane.requests]).toEqual([504, []]);
  expect(text).toContain('The call did not end within 0.05 s.');
});

describe('headers about what happened', () => {
  it('name the fields that the target which answers did not get, and no others', async () => {
    const anthropic = { ...VENDORS['anthropic-messages'], baseUrl: 'http://a.test' };
    const body = { ...CHAT, seed: 7 };
    const fallen = await start({ providers: { a: anthropic, b: PROVIDERS.b }, answers: { a: () => BUSY } });
    const { headers } = await fallen.ask('/v1/chat/completions', body);
    expect(headers).not.toHaveProperty('x-hubgate-dropped');
    expect(
      fallen.records[0]!.outcome.events.map(({ type }) => type),
      'the record keeps it',
    ).toContain('dropped');
    const other = await start({
      providers: { a: PROVIDERS.a, b: { ...anthropic, baseUrl: 'http://b.test' } },
      answers: {
        a: () => BUSY,
        b: () => ({
          body: {
            id: 'm',
            type: 'message',
            role: 'assistant',
            model: 'c',
            content: [{ type: 'text', text: 'Hi' }],
            stop_reason: 'end_turn',
            usage: { input_tokens: 1, output_tokens: 1 },
          },
        }),
      },
    });
    const answered = await other.ask('/v1/chat/completions', body);
    expect([answered.status, answered.headers['x-hubgate-dropped']]).toEqual([200, expect.stringContaining('seed')]);
    const again = await start({
      providers: { a: { ...anthropic, keys: [{ key: new Secret('k1') }, { key: new Secret('k2') }] } },
      models: [{ name: 'gpt-9', targets: [{ provider: 'a' }] }],
      answers: { a: () => ({ status: 401, body: {} }) },
    });
    const refused = await again.ask('/v1/chat/completions', body);
    expect(refused.headers['x-hubgate-dropped']).toBe(answered.headers['x-hubgate-dropped']);
  });

  it('say what the cache did, of whole answers, streams and failures', async () => {
    const cache: BoundPolicy = {
      name: 'cache',
      stage: 'cache',
      hooks: {
        onCall(call) {
          if (call.lane !== 'models') return undefined;
          const hit = (call.input.body['messages'] as unknown[]).length > 1;
          call.note('cached', hit ? 'hit; age=5 Zürich' : 'miss');
          return hit ? { body: SAID } : undefined;
        },
      },
    };
    const lane = await start({
      policies: [cache],
      models: [{ ...BOTH, fallback: [] }],
      answers: { a: (request, turn) => (turn > 2 ? BUSY : said(request)) },
    });
    const twice = { ...CHAT, messages: [...CHAT.messages, ...CHAT.messages] };
    const seen: unknown[] = [];
    for (const body of [CHAT, { ...CHAT, stream: true }, twice, { ...twice, stream: true }, CHAT]) {
      const { status, headers } = await lane.ask('/v1/chat/completions', body);
      seen.push([status, headers['x-hubgate-cache']]);
    }
    // What is no ASCII has no place in a header.
    expect(seen).toEqual([
      [200, 'miss'],
      [200, 'miss'],
      [200, 'hit; age=5 Z?rich'],
      [200, 'hit; age=5 Z?rich'],
      [503, 'miss'],
    ]);
  });

  it('are none where nothing happened', async () => {
    const lane = await start({ answers: {} });
    const { headers } = await lane.ask('/v1/chat/completions', CHAT);
    expect(Object.keys(headers).filter((name) => name.startsWith('x-hubgate') || name === 'x-should-retry')).toEqual([]);
  });
});

describe('several keys', () => {
  const keys = ['sk-canary-one', 'sk-canary-two', 'sk-canary-three'].map((key, index) => ({
    key: new Secret(key),
    ...(index === 2 ? {} : { label: `team ${index + 1}` }),
  }));
  const providers = { a: { type: 'openai', baseUrl: 'http://a.test/v1', keys } } as const;
  const models = [{ name: 'gpt-9', targets: [{ provider: 'a' }], retries: 0 }];
  const keyOf = ({ headers }: UpstreamRequest): string => String(headers['authorization']).replace('Bearer sk-canary-', '');

  it('are used in turn; a refused one rests, and every call is answered', async () => {
    const lane = await start({
      providers,
      models,
      answers: {
        a: (request) =>
          keyOf(request) === 'two' ? { status: 401, body: { error: { message: 'sk-canary-two is wrong' } } } : said(request),
      },
    });
    for (let n = 0; n < 9; n++) expect((await lane.ask('/v1/chat/completions', CHAT)).status).toBe(200);
    const used = lane.requests.map(keyOf);
    expect(used.filter((key) => key === 'two')).toHaveLength(1);
    expect(used.filter((key) => key === 'one').length).toBeGreaterThanOrEqual(4);
    expect(used.filter((key) => key === 'three').length).toBeGreaterThanOrEqual(4);
    expect(lane.records.map(({ outcome }) => outcome.attempts).toSorted()).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 2]);
    expect(lane.lane.targets()).toMatchObject([
      {
        route: 'gpt-9',
        keys: [
          { label: 'team 1', state: 'ok' },
          { label: 'team 2', state: 'resting' },
          { label: 'key 3', state: 'ok' },
        ],
      },
    ]);
  });

  it('are shown nowhere: not in an answer, the log, the record, the status or an explanation', async () => {
    const echo = (request: UpstreamRequest): Answer => ({
      status: 401,
      headers: { 'x-echo': String(request.headers['authorization']) },
      body: { error: { message: `Incorrect API key provided: ${String(request.headers['authorization'])}`, code: 'invalid_api_key' } },
    });
    const lane = await start({ providers, models, answers: { a: echo } });
    const shown: string[] = [];
    for (const [path, body] of [
      ['/v1/chat/completions', CHAT],
      ['/v1/messages', MESSAGES],
      ['/v1/responses', { ...RESPONSES, stream: true }],
    ] as const) {
      const { status, text, headers } = await lane.ask(path, body);
      expect(status).toBeGreaterThanOrEqual(429);
      shown.push(text, JSON.stringify(headers));
    }
    expect(new Set(lane.requests.map(keyOf))).toEqual(new Set(['one', 'two', 'three']));
    shown.push(...lane.logged, JSON.stringify(lane.lane.targets()));
    shown.push(JSON.stringify(lane.records.map(({ outcome }) => ({ ...outcome, error: String(outcome.error?.detail) }))));
    shown.push(JSON.stringify(await lane.lane.explain({ model: 'gpt-9', consumer: { name: 'x', groups: [], anonymous: false } })));
    expect(shown.join('\n')).toContain('team 1');
    expect(shown.join('\n')).not.toContain('canary');
  });

  it('are masked where a vendor repeats the one that it was called with', async () => {
    const spoken = (request: UpstreamRequest): string => `Key: ${String(request.headers['authorization'])}`;
    const lane = await start({
      providers: { a: { ...providers.a, keys: ['one', 'two', 'three'].map((name) => ({ key: new Secret(`sk-s3cret-${name}`) })) } },
      models,
      answers: {
        a: (request) => ({
          body: { ...SAID, choices: [{ index: 0, message: { role: 'assistant', content: spoken(request) }, finish_reason: 'stop' }] },
        }),
      },
    });
    for (let n = 0; n < 3; n++) {
      const { text } = await lane.ask('/v1/chat/completions', CHAT);
      expect(text).toContain('Key: Bearer sk-[secret]-');
      expect(text).not.toContain('s3cret');
    }
    expect(new Set(lane.requests.map(({ headers }) => headers['authorization'])).size).toBe(3);
  });
});

describe('a session', () => {
  const models: ModelRouteConfig[] = [{ name: 'gpt-9', targets: [{ provider: 'a' }, { provider: 'b' }] }];

  it('keeps its target, however it is named; without one the weights decide', async () => {
    const lane = await start({ models, answers: {} });
    const targetOf = async (body: object, headers = {}): Promise<string> => {
      await lane.ask('/v1/chat/completions', { ...CHAT, ...body }, headers);
      return hosts(lane).at(-1)!;
    };
    const seen = new Set<string>();
    for (let n = 0; n < 8; n++) {
      const id = `session ${n}`;
      const own = await targetOf({}, { 'x-session-id': id });
      seen.add(own);
      for (const again of [
        targetOf({}, { 'x-hubgate-session': id }),
        targetOf({ prompt_cache_key: id }),
        targetOf({ metadata: { user_id: id } }),
      ])
        expect(await again).toBe(own);
    }
    expect(seen).toEqual(new Set(['a', 'b']));
    expect(new Set([await targetOf({}), await targetOf({})])).toEqual(new Set(['a', 'b']));
  });

  it('does not keep it where the route says so', async () => {
    const lane = await start({ models: [{ ...models[0]!, sticky: false }], answers: {} });
    for (let n = 0; n < 4; n++) await lane.ask('/v1/chat/completions', CHAT, { 'x-session-id': 's' });
    expect(hosts(lane)).toEqual(['a', 'b', 'a', 'b']);
  });
});

describe('weights', () => {
  it('share the calls out, and with 0 there are none', async () => {
    const targets = [
      { provider: 'a', weight: 9 },
      { provider: 'b', weight: 1 },
      { provider: 'b', model: 'never', weight: 0 },
    ];
    const lane = await start({ models: [{ name: 'gpt-9', targets }], answers: {} });
    for (let n = 0; n < 50; n++) await lane.ask('/v1/chat/completions', CHAT);
    expect([hosts(lane).filter((host) => host === 'a').length, bodies(lane).filter((body) => body.includes('never')).length]).toEqual([
      45, 0,
    ]);
  });
});

describe('what a call is expected to use', () => {
  it('is told to policies before it is sent: its tokens, and its cost at the dearest target', async () => {
    const told: unknown[] = [];
    const look: BoundPolicy = { name: 'look', stage: 'limit', hooks: { onCall: (call) => void told.push(call.estimate()) } };
    const models = [
      {
        name: 'gpt-9',
        targets: [
          { provider: 'a', model: 'cheap' },
          { provider: 'b', model: 'dear' },
        ],
      },
    ];
    const lane = await start({
      models,
      policies: [look],
      cost: ({ outputTokens = 0 }, model) => outputTokens * (model === 'dear' ? 2 : 1),
      answers: {},
    });
    await lane.ask('/v1/chat/completions', { ...CHAT, max_tokens: 100 });
    expect(told).toMatchObject([{ outputTokens: 100, estimated: true, cost: 200 }]);
    await lane.ask('/v1/messages/count_tokens', { ...CHAT, max_tokens: 100 });
    expect(told[1]).toEqual({});
  });
});
