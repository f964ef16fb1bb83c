import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { checkOptions } from '../../../src/config/extensions.ts';
import type { Embedded } from '../../../src/core/contracts/semantics.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import type { ModelsOperation, ModelsReply } from '../../../src/core/models.ts';
import type { LiveCall } from '../../../src/pipeline/live-call.ts';
import semanticCache from '../../../src/policies/semantic-cache.ts';
import { staticSemantics } from '../../support/static-semantics.ts';
import {
  type Asked,
  ask,
  BOB,
  CAROL,
  type CachedHub,
  chatCall,
  chatChunks,
  chatReply,
  chunksOf,
  createHub,
  didOf,
  pass,
  replyTo,
  streamOf,
} from './cached-hub.ts';

/** Angles of questions: their cosine is that of the difference. Others stand across. */
const ANGLES = new Map([
  ['where is my parcel', 0],
  ['so where is my parcel', 0.1],
  ['okay, where is my parcel', 0.2],
  ['where is my letter', 0.01],
]);
const [PARCEL, TOLD, FAR, LETTER] = [...ANGLES.keys()] as [string, string, string, string];

/** What was embedded, and the model that does it. */
let embedded: string[] = [];
let model = 'fake@1';
let failure: Error | undefined;
const embed = async (texts: readonly string[]): Promise<Embedded> => {
  embedded.push(...texts);
  if (failure !== undefined) throw failure;
  const vectorOf = (angle: number): Float32Array => Float32Array.of(Math.cos(angle), Math.sin(angle));
  return { model, sameRequest: 0.99, vectors: texts.map((text) => vectorOf(ANGLES.get(text) ?? Math.PI / 2)) };
};

let hub: CachedHub;
beforeEach(() => {
  embedded = [];
  model = 'fake@1';
  failure = undefined;
  hub = createHub(embed);
});

const body = (text: string, more: JsonObject = {}): JsonObject => ({ model: 'gpt', messages: [{ role: 'user', content: text }], ...more });
const asking = (text: string, more: JsonObject = {}, asked: Asked & { readonly operation?: ModelsOperation } = {}): LiveCall<'models'> =>
  chatCall(body(text, more), asked);
/** What is done in the background is done. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a question in other words', () => {
  it('gets the answer when nothing in it is another, and its vector is near', async () => {
    const policy = await hub.semantic();
    expect(await ask(policy, asking(PARCEL), 'one')).toBe('miss: one');
    await settle();
    expect(await ask(policy, asking(TOLD), 'two')).toBe('hit 1.00: one');
    expect(await ask(policy, asking(FAR), 'three')).toBe('miss: three');
    expect(hub.logged()).toEqual([]);
  });

  it('gets none when something else stands in it, however near the vector', async () => {
    const policy = await hub.semantic({ threshold: 0.5 });
    await ask(policy, asking(PARCEL), 'one');
    await settle();
    expect(await ask(policy, asking(LETTER), 'two')).toBe('miss: two');
    expect(await ask(policy, asking(FAR), 'three')).toBe('hit 0.98: one');
  });

  it('needs no vector when only the way of asking is another', async () => {
    failure = new Error('broken');
    const policy = await hub.semantic();
    expect(await ask(policy, asking('How do I boil an egg?'), 'one')).toBe('miss: one');
    expect(await ask(policy, asking('Please tell me how to boil an egg.'), 'two')).toBe('hit wording: one');
    expect(await ask(policy, asking('How do I boil two eggs?'), 'three')).toBe('miss: three');
    expect(hub.logged()).toEqual([]);
  });

  it('is not embedded when an equal one was answered, and not before there is anything to compare', async () => {
    const policy = await hub.semantic();
    await ask(policy, asking(PARCEL), 'one');
    await settle();
    expect(embedded).toEqual([PARCEL]);
    expect(await ask(policy, asking(PARCEL), 'two')).toBe('hit: one');
    expect(embedded).toEqual([PARCEL]);
  });

  it('is not embedded to be compared with questions that say something else', async () => {
    const policy = await hub.semantic();
    await ask(policy, asking(PARCEL), 'one');
    await settle();
    await replyTo(asking(LETTER), policy, chatReply('cut', null));
    expect(embedded).toEqual([PARCEL]);
    await replyTo(asking(FAR), policy, chatReply('cut', null));
    expect(embedded).toEqual([PARCEL, FAR]);
  });

  it('takes the nearest of many, and the latest of those that say the same', async () => {
    const policy = await hub.semantic({ threshold: 0.9 });
    await ask(policy, asking(FAR), 'far');
    await ask(policy, asking(TOLD, {}, { headers: { 'x-hubgate-cache': 'refresh' } }), 'near');
    await settle();
    expect(await ask(policy, asking(PARCEL), 'x')).toBe('hit 1.00: near');
    await ask(policy, asking('How do I boil an egg?'), 'old');
    await ask(policy, asking('How can I boil an egg?', {}, { headers: { 'x-hubgate-cache': 'refresh' } }), 'new');
    expect(await ask(policy, asking('how to boil an egg'), 'x')).toBe('hit wording: new');
  });

  it('goes on without a model, or when it is too slow', async () => {
    const policy = await hub.semantic();
    await ask(policy, asking(PARCEL), 'one');
    await settle();
    failure = new Error('gone');
    expect(await ask(policy, asking(TOLD), 'two')).toBe('miss: two');
    const slow = createHub(() => new Promise(() => undefined));
    const patient = await slow.semantic();
    await ask(patient, asking(PARCEL), 'one');
    expect(await ask(patient, asking(TOLD), 'two')).toBe('miss: two');
    expect(hub.logged()).toEqual([]);
  });

  it('is compared with vectors of the same model only', async () => {
    const policy = await hub.semantic();
    await ask(policy, asking(PARCEL), 'one');
    await settle();
    model = 'other@1';
    expect(await ask(policy, asking(TOLD), 'two')).toBe('miss: two');
    model = 'fake@1';
    expect(await ask(policy, asking(`${TOLD}.`), 'three')).toBe('hit wording: two');
  });
});

describe('its answer', () => {
  const asStream = { stream: true, stream_options: { include_usage: true } };

  it('is kept for its time, over generations', async () => {
    await ask(await hub.semantic({ ttl: '30s' }), asking(PARCEL), 'one');
    await settle();
    const policy = await hub.semantic({ ttl: '30s' });
    hub.state.now += 29_999;
    expect(await ask(policy, asking(TOLD), 'two')).toBe('hit 1.00: one');
    hub.state.now += 1;
    expect(await ask(policy, asking(TOLD), 'three')).toBe('miss: three');
  });

  it('is forgotten when the state has forgotten it', async () => {
    const policy = await hub.semantic();
    await ask(policy, asking(PARCEL), 'one');
    await settle();
    hub.state.entries.clear();
    expect(await ask(policy, asking(TOLD), 'two')).toBe('miss: two');
    expect(await ask(policy, asking(PARCEL), 'three')).toBe('hit 1.00: two');
  });

  it('serves streams and calls that want the whole alike', async () => {
    const policy = await hub.semantic();
    const chunks = chatChunks(['at ', 'home'], chatReply('at home'));
    const first = asking(PARCEL, asStream);
    expect(await chunksOf(await pass(first, policy, () => ({ stream: streamOf(chunks) })))).toEqual(chunks);
    await settle();
    expect(await ask(policy, asking(TOLD), 'x')).toBe('hit 1.00: at home');
    const again = asking(TOLD, asStream);
    expect(await pass(again, policy, () => ({ stream: streamOf(chunks) }))).toEqual({ reply: chatReply('at home') });
    expect([again.attempts, didOf(again)]).toEqual([0, ['hit 1.00']]);
  });

  it('is not kept when it is too large, broken off or not complete', async () => {
    const policy = await hub.semantic({ maxSize: '1KB' });
    await ask(policy, asking(PARCEL), 'x'.repeat(2_000));
    await replyTo(asking(PARCEL), policy, chatReply('cut', null));
    await settle();
    expect(await ask(policy, asking(TOLD), 'two')).toBe('miss: two');
    expect(embedded).toEqual([TOLD]);
  });

  it('is for those who share it', async () => {
    for (const [scope, bob, carol] of [
      ['consumer', 'miss', 'miss'],
      ['group', 'hit 1.00', 'miss'],
      ['all', 'hit 1.00', 'hit 1.00'],
    ] as const) {
      const policy = await hub.semantic({ scope });
      await ask(policy, asking(PARCEL), 'one');
      await settle();
      const [ofBob, ofCarol] = [BOB, CAROL].map((consumer) => asking(TOLD, {}, { consumer }));
      await Promise.all([ofBob!, ofCarol!].map((call) => ask(policy, call, 'two')));
      expect([scope, didOf(ofBob!), didOf(ofCarol!)]).toEqual([scope, [bob], [carol]]);
    }
  });

  it('is asked for once by equal calls at the same time', async () => {
    const policy = await hub.semantic();
    await ask(policy, asking(LETTER), 'before');
    await settle();
    const go = Promise.withResolvers<{ reply: ModelsReply }>();
    let sent = 0;
    const calls = Array.from({ length: 5 }, () => asking(PARCEL));
    const all = calls.map((call) => pass(call, policy, () => ((sent += 1), go.promise)));
    await expect.poll(() => sent).toBe(1);
    go.resolve({ reply: chatReply('one') });
    expect(await Promise.all(all)).toEqual(calls.map(() => ({ reply: chatReply('one') })));
    expect(calls.flatMap(didOf).toSorted()).toEqual(['joined', 'joined', 'joined', 'joined', 'miss']);
    expect(sent).toBe(1);
  });
});

describe('is not found', () => {
  it('by who wants no cache, or an answer anew', async () => {
    const policy = await hub.semantic();
    await ask(policy, asking(PARCEL), 'one');
    await settle();
    expect(await ask(policy, asking(TOLD, {}, { headers: { 'cache-control': 'no-store' } }), 'two')).toBe('bypass: two');
    expect(await ask(policy, asking(TOLD, {}, { headers: { 'x-hubgate-cache': 'refresh' } }), 'three')).toBe('refresh: three');
    expect(await ask(policy, asking(TOLD, { tools: [{ type: 'web_search' }] }), 'four')).toBe('bypass: four');
  });

  it('for a text of more than 100 characters', async () => {
    const policy = await hub.semantic();
    const long = `How do I boil an egg${' in water'.repeat(10)}?`;
    await ask(policy, asking(long), 'one');
    expect(await ask(policy, asking(`Please tell me ${long}`), 'two')).toBe('miss: two');
    expect(await ask(policy, asking(long), 'three')).toBe('hit: one');
  });

  it('for vectors, counts and lists, which it leaves alone', async () => {
    const policy = await hub.semantic();
    for (const operation of ['embeddings', 'count_tokens', 'models'] as const) {
      const call = asking(PARCEL, {}, { operation });
      await replyTo(call, policy, { body: { data: [1], input_tokens: 1 } });
      expect(didOf(call)).toEqual([]);
    }
  });

  it('among more than maxEntries', async () => {
    const policy = await hub.semantic({ maxEntries: 2 });
    for (const thing of ['egg', 'potato', 'carrot']) await ask(policy, asking(`How do I boil ${thing}s?`), thing);
    const now = (thing: string): Promise<string> => ask(policy, asking(`how to boil ${thing}s`), 'anew');
    expect([await now('potato'), await now('carrot'), await now('egg')]).toEqual([
      'hit wording: potato',
      'hit wording: carrot',
      'miss: anew',
    ]);
    expect(await now('carrot')).toBe('hit wording: carrot');
    expect(await now('potato')).toBe('miss: anew');
  });

  it('at another place of the configuration', async () => {
    const policy = await hub.semantic();
    await ask(policy, asking(PARCEL), 'one');
    await settle();
    expect(await ask(policy, asking(TOLD, {}, { route: 'other' }), 'two')).toBe('miss: two');
    expect(await ask(policy, asking(TOLD, {}, { headers: { 'openai-beta': 'x' } }), 'two')).toBe('miss: two');
  });
});

describe('the question', () => {
  const said = (text: unknown): Record<string, readonly [ModelsOperation, JsonObject]> => ({
    chat: [
      'chat',
      {
        model: 'm',
        messages: [
          { role: 'system', content: 'Be kind.' },
          { role: 'user', content: text },
        ],
      },
    ],
    'chat in parts': [
      'chat',
      {
        model: 'm',
        messages: [
          {
            role: 'user',
            content: [
              { type: 'image_url', image_url: {} },
              { type: 'text', text },
            ],
          },
        ],
      },
    ],
    messages: ['messages', { model: 'm', system: 'Be kind.', messages: [{ role: 'user', content: text }] }],
    'messages in parts': [
      'messages',
      {
        model: 'm',
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Today.' },
              { type: 'text', text, cache_control: { type: 'ephemeral' } },
            ],
          },
        ],
      },
    ],
    responses: ['responses', { model: 'm', input: text }],
    'responses in parts': ['responses', { model: 'm', input: [{ role: 'user', content: [{ type: 'input_text', text }] }] }],
  });
  const ANSWERS: Readonly<Partial<Record<ModelsOperation, JsonObject>>> = {
    chat: chatReply('one').body,
    messages: { content: [{ type: 'text', text: 'one' }], stop_reason: 'end_turn' },
    responses: { output: [], status: 'completed' },
  };

  it.each(Object.keys(said('')))('is the last text of the user in %s', async (kind) => {
    const policy = await hub.semantic();
    const [operation, first] = said(PARCEL)[kind]!;
    await replyTo(chatCall(first, { operation }), policy, { body: ANSWERS[operation]! });
    await settle();
    const again = chatCall(said(TOLD)[kind]![1], { operation });
    expect(await replyTo(again, policy, { body: {} })).toEqual({ body: ANSWERS[operation] });
    expect(didOf(again)).toEqual(['hit 1.00']);
  });

  it.each([
    [
      'an answer that the model goes on with',
      [
        { role: 'user', content: '?' },
        { role: 'assistant', content: '?' },
      ],
    ],
    [
      'what a tool said',
      [
        { role: 'user', content: 'x' },
        { role: 'tool', tool_call_id: '1', content: '?' },
      ],
    ],
    ['results of tools', [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: '1', content: '?' }] }]],
    [
      'an earlier question',
      [
        { role: 'user', content: '?' },
        { role: 'assistant', content: 'Yes.' },
        { role: 'user', content: 'And then?' },
      ],
    ],
    ['instructions', [{ role: 'system', content: '?' }]],
  ])('is not %s', async (_, messages) => {
    const policy = await hub.semantic({ threshold: 0.5 });
    const of = (text: string): JsonObject =>
      JSON.parse(JSON.stringify({ model: 'm', messages }).replace('"?"', JSON.stringify(text))) as JsonObject;
    expect(await ask(policy, chatCall(of(PARCEL)), 'one')).toBe('miss: one');
    await settle();
    expect(await ask(policy, chatCall(of(TOLD)), 'two')).toBe('miss: two');
    expect(await ask(policy, chatCall(of(TOLD)), 'three')).toBe('hit: two');
  });

  it('has the same answer only when nothing else in the request is another', async () => {
    const whole: JsonObject = {
      model: 'gpt',
      temperature: 0.2,
      tools: [{ type: 'function', function: { name: 'find', parameters: { type: 'object' } } }],
      response_format: { type: 'json_object' },
      messages: [
        { role: 'system', content: 'You are a parcel service.' },
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: 'Hi' },
        { role: 'user', name: 'ann', content: '?' },
      ],
    };
    const paths = placesOf(whole).filter((path) => path.length > 0 && path.join() !== 'messages,3,content');
    const values = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.constant(undefined), fc.constant([]));
    const policy = await hub.semantic({ threshold: 0.5 });
    await ask(policy, chatCall(withAt(whole, ['messages', '3', 'content'], PARCEL)), 'one');
    await settle();
    const toldBody = withAt(whole, ['messages', '3', 'content'], TOLD);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), values, async (path, value) => {
        const other = withAt(toldBody, path, value);
        fc.pre(JSON.stringify(other) !== JSON.stringify(toldBody));
        const call = chatCall(other);
        await ask(policy, Object.assign(call, { input: { ...call.input, model: 'gpt' } }), 'other');
        expect(didOf(call).join()).not.toMatch(/^hit (?:1\.00|wording).*/);
      }),
      { numRuns: 150 },
    );
    expect(await ask(policy, chatCall(toldBody), 'x')).toBe('hit 1.00: one');
  });
});

describe('with the model that comes with the hub', () => {
  it('finds other ways of asking and nothing else', async () => {
    const semantics = staticSemantics();
    await semantics.settled();
    const real = createHub((texts, options) => semantics.embed(texts, options));
    const policy = await real.semantic({ threshold: 0.9 });
    await ask(policy, asking('How do I reset my password?'), 'one');
    await settle();
    expect(await ask(policy, asking('How do I actually reset my password?'), 'two')).toMatch(/^hit 0\.9\d: one$/);
    expect(await ask(policy, asking('how to reset my password'), 'three')).toBe('hit wording: one');
    expect(await ask(policy, asking('How do I reset my router?'), 'four')).toBe('miss: four');
    await semantics.close();
  });
});

it('has options that are described', () => {
  for (const options of [{}, { ttl: '5m', scope: 'all', maxSize: '64KB', threshold: 0.97, model: 'static', maxEntries: 10 }])
    expect(checkOptions(semanticCache, options)).toEqual([]);
  for (const options of [{ threshold: 2 }, { threshold: '0.9' }, { maxEntries: 0 }, { maxEntries: 2_001 }, { model: '' }, { tools: true }])
    expect(checkOptions(semanticCache, options)).toHaveLength(1);
});

/** All places of a value, as the keys that lead there. */
function placesOf(value: unknown, at: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, item]) => placesOf(item, [...at, key]))];
}

/** A copy with another value at a place, or without it. */
function withAt<T>(value: T, [key, ...rest]: readonly string[], put: unknown): T {
  if (key === undefined) return put as T;
  if (Array.isArray(value)) return value.map((item, index) => (String(index) === key ? withAt(item, rest, put) : item)) as T;
  const entries = Object.entries(value as JsonObject).map(([name, item]) => [name, name === key ? withAt(item, rest, put) : item] as const);
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined)) as T;
}
