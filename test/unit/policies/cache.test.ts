import { beforeEach, describe, expect, it } from 'vitest';
import type { Chunk } from '../../../src/core/call.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import type { ModelsReply } from '../../../src/core/models.ts';
import type { Tool, ToolAnnotations, ToolsReply } from '../../../src/core/tools.ts';
import { isResultUri } from '../../../src/lanes/tools/results/kept-results.ts';
import type { BoundPolicy } from '../../../src/pipeline/chain.ts';
import cache from '../../../src/policies/cache.ts';
import {
  ALICE,
  ask,
  BOB,
  CAROL,
  CHAT,
  type CachedHub,
  chatCall,
  chatChunks,
  chatReply,
  chunksOf,
  createHub,
  didOf,
  FIND,
  pass,
  replyTo,
  streamOf,
  textResult,
  toolCall,
} from './cached-hub.ts';

let hub: CachedHub;
beforeEach(() => {
  hub = createHub();
});

describe('an answer', () => {
  it('is given again until its time is over', async () => {
    const policy = await hub.bound({ ttl: '30s' });
    expect(await ask(policy, chatCall(), 'one')).toBe('miss: one');
    hub.state.now += 29_999;
    expect(await ask(policy, chatCall(), 'two')).toBe('hit: one');
    hub.state.now += 1;
    expect(await ask(policy, chatCall(), 'three')).toBe('miss: three');
    expect(hub.logged()).toEqual([]);
  });

  it('is kept for five minutes unless told otherwise', async () => {
    const policy = await hub.bound();
    await ask(policy, chatCall(), 'one');
    expect([...hub.state.entries.values()].map(({ until }) => until - hub.state.now)).toEqual([300_000]);
  });

  it('costs nothing: nothing was tried, nothing used', async () => {
    const policy = await hub.bound();
    await ask(policy, chatCall(), 'one');
    const hit = chatCall();
    await ask(policy, hit, 'two');
    expect([hit.attempts, hit.usage, hit.target]).toEqual([0, undefined, undefined]);
  });

  it('comes the same from a store that answers later', async () => {
    hub.state.gate = Promise.resolve();
    const policy = await hub.bound();
    expect(await ask(policy, chatCall(), 'one')).toBe('miss: one');
    expect(await ask(policy, chatCall(), 'two')).toBe('hit: one');
    expect(hub.logged()).toEqual([]);
  });

  it('unwinds through the guardrails of today', async () => {
    const policy = await hub.bound();
    await ask(policy, chatCall(), 'secret');
    const mask: BoundPolicy = {
      name: 'mask',
      stage: 'guard',
      hooks: { onReply: (call, reply) => call.mapText(reply, ({ text }) => text.replace('secret', '***')) },
    };
    expect(await ask([mask, policy], chatCall(), 'two')).toBe('hit: ***');
  });

  it('is found again by another generation', async () => {
    expect(await ask(await hub.bound(), chatCall(), 'one')).toBe('miss: one');
    expect(await ask(await hub.bound(), chatCall(), 'two')).toBe('hit: one');
  });

  it('is kept without what else an object of the lane holds', async () => {
    const { body } = chatReply('one');
    await replyTo(chatCall(), await hub.bound(), { bytes: Buffer.from('x'), body } as ModelsReply);
    expect([...hub.state.entries.values()].map(({ text }) => JSON.parse(text) as unknown)).toEqual([{ body }]);
  });

  it('passes two uses of the policy', async () => {
    const uses = [await hub.bound({ ttl: '1m' }), await hub.bound({ ttl: '10m' })];
    expect(await ask(uses, chatCall(), 'one')).toBe('miss miss: one');
    expect(await ask(uses, chatCall(), 'two')).toBe('hit: one');
    const scopes = [await hub.bound({ scope: 'consumer' }), await hub.bound({ scope: 'all' })];
    await ask(scopes, chatCall({ ...CHAT, n: 1 }), 'one');
    expect(await ask(scopes, chatCall({ ...CHAT, n: 1 }, { consumer: BOB }), 'two')).toBe('miss hit: one');
    expect(hub.logged()).toEqual([]);
  });

  it('that is no entry is none', async () => {
    const policy = await hub.bound();
    await ask(policy, chatCall(), 'one');
    const [[key, entry]] = [...hub.state.entries] as [[string, { text: string; until: number }]];
    const { text } = entry;
    for (const bad of ['', 'null', '[]', '"x"', '{', text.slice(0, -1), '{"body":1}', '{"body":{}}', `{"reply":${text}}`]) {
      hub.state.entries.set(key, { ...entry, text: bad });
      expect(await ask(policy, chatCall(), 'anew')).toBe('miss: anew');
    }
    expect(hub.logged()).toEqual([]);
  });
});

describe('who shares', () => {
  const anyone = { name: 'anonymous', groups: [], anonymous: true };
  const lonely = { name: 'lonely', groups: [], anonymous: false };

  it.each([
    ['consumer', { alice: 'hit', bob: 'miss', carol: 'miss', anyone: 'miss' }],
    ['group', { alice: 'hit', bob: 'hit', carol: 'miss', anyone: 'miss' }],
    ['all', { alice: 'hit', bob: 'hit', carol: 'hit', anyone: 'hit' }],
  ] as const)('with scope %s', async (scope, expected) => {
    const policy = await hub.bound({ scope });
    await ask(policy, chatCall(CHAT, { consumer: ALICE }), 'one');
    const seen: Record<string, string | undefined> = {};
    for (const [name, consumer] of Object.entries({ alice: ALICE, bob: BOB, carol: CAROL, anyone })) {
      const call = chatCall(CHAT, { consumer });
      await ask(policy, call, 'two');
      seen[name] = didOf(call).join();
    }
    expect(seen).toEqual(expected);
  });

  it('is the consumer alone for those in no group', async () => {
    const policy = await hub.bound({ scope: 'group' });
    await ask(policy, chatCall(CHAT, { consumer: lonely }), 'one');
    expect(await ask(policy, chatCall(CHAT, { consumer: anyone }), 'two')).toBe('miss: two');
    expect(await ask(policy, chatCall(CHAT, { consumer: lonely }), 'three')).toBe('hit: one');
  });

  it('has the request sent as it was read, when others get the answer', async () => {
    for (const [scope, same] of [
      ['consumer', true],
      ['group', false],
      ['all', false],
    ] as const) {
      const policy = await hub.bound({ scope });
      const call = chatCall();
      const { body } = call.input;
      await ask(policy, call, 'one');
      expect(call.input.body === body).toBe(same);
      expect(call.input).toEqual({ model: 'gpt', stream: false, body: CHAT });
    }
  });
});

describe('callers may', () => {
  const cases = [
    [{ 'x-hubgate-cache': 'bypass' }, 'bypass: new', 'hit: one'],
    [{ 'x-hubgate-cache': ' Bypass' }, 'bypass: new', 'hit: one'],
    [{ 'cache-control': 'no-store' }, 'bypass: new', 'hit: one'],
    [{ 'cache-control': 'no-cache, no-store' }, 'bypass: new', 'hit: one'],
    [{ 'x-hubgate-cache': 'refresh', 'cache-control': 'no-store' }, 'bypass: new', 'hit: one'],
    [{ 'x-hubgate-cache': 'refresh' }, 'refresh: new', 'hit: new'],
    [{ 'cache-control': 'max-age=0, no-cache' }, 'refresh: new', 'hit: new'],
    [{ 'cache-control': 'max-age=60' }, 'hit: one', 'hit: one'],
    [{ 'x-hubgate-cache': 'hit' }, 'hit: one', 'hit: one'],
  ] as const;

  it.each(cases)('say %o', async (headers, told, then) => {
    const policy = await hub.bound();
    await ask(policy, chatCall(), 'one');
    expect(await ask(policy, chatCall(CHAT, { headers }), 'new')).toBe(told);
    expect(await ask(policy, chatCall(), 'later')).toBe(then);
  });

  it('bypass a cache that has nothing, and leave nothing', async () => {
    const policy = await hub.bound();
    await ask(policy, chatCall(CHAT, { headers: { 'cache-control': 'no-store' } }), 'one');
    expect(hub.state.entries.size).toBe(0);
  });
});

describe('streams', () => {
  const asStream = { ...CHAT, stream: true, stream_options: { include_usage: true } };
  const streamed = (reply?: ModelsReply) => () => ({ stream: streamOf(chatChunks(['He', 'llo'], reply)) });

  it('pass as they come, and answer later calls that want the whole', async () => {
    const policy = await hub.bound();
    const stood: number[] = [];
    const handled = await pass(chatCall(asStream), policy, streamed(chatReply('Hello')));
    if (!('stream' in handled)) throw new Error('expected a stream');
    const seen: Chunk<'models'>[] = [];
    for await (const chunk of handled.stream) {
      seen.push(chunk);
      stood.push(hub.state.entries.size);
    }
    expect(seen).toEqual(chatChunks(['He', 'llo'], chatReply('Hello')));
    expect(stood).toEqual([0, 0, 1]);
    expect(await ask(policy, chatCall(), 'whole')).toBe('hit: Hello');
    expect(hub.logged()).toEqual([]);
  });

  it('are answered with what was whole', async () => {
    const policy = await hub.bound();
    await ask(policy, chatCall(), 'Hello');
    const call = chatCall(asStream);
    expect(await pass(call, policy, streamed())).toEqual({ reply: chatReply('Hello') });
    expect(didOf(call)).toEqual(['hit']);
  });

  it('that break off leave nothing', async () => {
    const policy = await hub.bound();
    const cut = async function* (): AsyncGenerator<Chunk<'models'>> {
      yield* chatChunks(['He']);
      throw new GatewayError('upstream_cut');
    };
    await expect(chunksOf(await pass(chatCall(asStream), policy, () => ({ stream: cut() })))).rejects.toMatchObject({
      code: 'upstream_cut',
    });
    await chunksOf(await pass(chatCall(asStream), policy, streamed()));
    expect(hub.state.entries.size).toBe(0);
  });

  it('that the caller leaves leave nothing', async () => {
    const policy = await hub.bound();
    const handled = await pass(chatCall(asStream), policy, streamed(chatReply('Hello')));
    if (!('stream' in handled)) throw new Error('expected a stream');
    for await (const _ of handled.stream) break;
    expect(hub.state.entries.size).toBe(0);
    expect(await ask(policy, chatCall(), 'own')).toBe('miss: own');
  });

  it('that do not use the cache are not touched', async () => {
    const policy = await hub.bound();
    const chunks = streamOf(chatChunks(['He'], chatReply('He')));
    expect(policy.hooks.onStream?.(chatCall(asStream) as never, chunks as never)).toBe(chunks);
  });
});

describe('is not kept', () => {
  it('an answer that is too large', async () => {
    const policy = await hub.bound({ maxSize: '1KB' });
    await ask(policy, chatCall(), 'é'.repeat(600));
    expect(hub.state.entries.size).toBe(0);
    await ask(policy, chatCall(), 'e'.repeat(600));
    expect(hub.state.entries.size).toBe(1);
  });

  it('a failure', async () => {
    const policy = await hub.bound();
    const failing = pass(chatCall(), policy, () => {
      throw new GatewayError('upstream_overloaded');
    });
    await expect(failing).rejects.toMatchObject({ code: 'upstream_overloaded' });
    expect(await ask(policy, chatCall(), 'then')).toBe('miss: then');
  });

  const text = { type: 'text', text: 'Hi' };
  it.each([
    ['chat', { choices: [] }],
    ['chat', chatReply('no', 'content_filter').body],
    ['chat', chatReply('cut', null).body],
    ['chat', { choices: [{ finish_reason: 'stop' }, { finish_reason: 'content_filter' }] }],
    ['chat', { ...chatReply('x').body, error: { message: 'late' } }],
    ['chat', { choices: [{ finish_reason: 'stop', message: { arguments: 2 ** 60 } }] }],
    ['messages', { content: [text], stop_reason: 'refusal' }],
    ['messages', { content: [text], stop_reason: 'pause_turn' }],
    ['messages', { content: [text], stop_reason: null }],
    ['responses', { output: [], status: 'queued' }],
    ['responses', { output: [], status: 'failed', error: { code: 'server_error' } }],
    ['responses', { output: [], status: 'incomplete', incomplete_details: { reason: 'content_filter' } }],
    ['embeddings', { data: [] }],
    ['count_tokens', {}],
  ] as const)('an answer of %s that is not complete: %o', async (operation, body) => {
    const policy = await hub.bound();
    const call = chatCall(CHAT, { operation });
    await replyTo(call, policy, { body });
    expect([didOf(call), hub.state.entries.size]).toEqual([['miss'], 0]);
    expect(hub.logged()).toEqual([]);
  });

  it.each([
    ['chat', chatReply('x', 'length').body],
    ['chat', { choices: [{ finish_reason: 'tool_calls' }, { finish_reason: 'stop' }] }],
    ['messages', { content: [text], stop_reason: 'tool_use' }],
    ['messages', { content: [text], stop_reason: 'max_tokens' }],
    ['responses', { output: [], status: 'completed', error: null }],
    ['responses', { output: [], status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }],
    ['embeddings', { data: [{ embedding: [0.1, -2] }] }],
    ['count_tokens', { input_tokens: 0 }],
  ] as const)('but one of %s that is: %o', async (operation, body) => {
    const policy = await hub.bound();
    await replyTo(chatCall(CHAT, { operation }), policy, { body });
    const call = chatCall(CHAT, { operation });
    expect(await replyTo(call, policy, { body: { other: true } })).toEqual({ body });
    expect(didOf(call)).toEqual(['hit']);
  });

  it.each([
    { tools: [{ type: 'web_search' }] },
    { tools: [{ type: 'mcp', server_label: 'crm' }, { type: 'function' }] },
    { tools: [{ type: 'code_execution_20250825', name: 'code_execution' }] },
    { tools: [{ google_search: {} }] },
    { tools: ['?'] },
    { mcp_servers: [{ url: 'https://x' }] },
    { web_search_options: {} },
    { conversation: 'conv_1' },
    { background: true },
    { prompt: { id: 'pmpt_1' } },
    { seed: 2 ** 53 },
  ])('a request with %o: the vendor acts, or it can be read in two ways', async (fields) => {
    const policy = await hub.bound();
    const call = chatCall({ ...CHAT, ...fields });
    await ask(policy, call, 'one');
    expect([didOf(call), hub.state.entries.size]).toEqual([['bypass'], 0]);
  });

  it.each([
    { tools: [{ type: 'function', function: { name: 'f' } }] },
    { tools: [{ type: 'custom', name: 'f' }] },
    { tools: [{ name: 'f', input_schema: { type: 'object' } }] },
    { tools: [], background: false, conversation: null },
  ])('but a request with %o is: the tools are the caller‘s', async (fields) => {
    const policy = await hub.bound();
    await ask(policy, chatCall({ ...CHAT, ...fields }), 'one');
    expect(await ask(policy, chatCall({ ...CHAT, ...fields }), 'two')).toBe('hit: one');
  });
});

describe('tools', () => {
  const tellTool = async (policy: BoundPolicy, call: ReturnType<typeof toolCall>, own: ToolsReply): Promise<unknown> => {
    const reply = await replyTo(call, policy, own);
    return [didOf(call).join(), (reply.content?.[0] as { text?: string } | undefined)?.text];
  };
  const tool = (more: Partial<Tool>): Tool => ({ ...FIND, ...more });
  const annotated = (annotations: ToolAnnotations): Tool => tool({ definition: { name: 'find', inputSchema: {}, annotations } });

  it('are cached where the owner says so and they only read', async () => {
    const policy = await hub.bound({ tools: true });
    expect(await tellTool(policy, toolCall(), textResult('one'))).toEqual(['miss', 'one']);
    expect(await tellTool(policy, toolCall(), textResult('two'))).toEqual(['hit', 'one']);
    expect(await tellTool(policy, toolCall({ arguments: { text: 'dog' } }), textResult('dog'))).toEqual(['miss', 'dog']);
    expect(await tellTool(policy, toolCall({}, FIND, { consumer: BOB }), textResult('bob'))).toEqual(['miss', 'bob']);
  });

  it('are not where the owner does not', async () => {
    for (const options of [{}, { tools: false }, { tools: ['get*', 'list'] }]) {
      const policy = await hub.bound(options);
      expect(await tellTool(policy, toolCall(), textResult('one'))).toEqual(['', 'one']);
    }
    expect(hub.state.entries.size).toBe(0);
  });

  it('are by their names', async () => {
    const policy = await hub.bound({ tools: ['get*', 'fi*'] });
    expect(await tellTool(policy, toolCall(), textResult('one'))).toEqual(['miss', 'one']);
  });

  it.each([
    ['writes', annotated({ readOnlyHint: false })],
    ['says nothing', annotated({})],
    ['says something else', annotated({ readOnlyHint: 'yes' as never })],
    ['only is idempotent', annotated({ idempotentHint: true })],
  ])('are not when one %s', async (_, one) => {
    const policy = await hub.bound({ tools: true });
    expect(await tellTool(policy, toolCall({}, one), textResult('one'))).toEqual(['', 'one']);
    expect(hub.state.entries.size).toBe(0);
  });

  it('are not when there is none of that name', async () => {
    const policy = await hub.bound({ tools: true });
    const call = toolCall();
    call.input = { name: 'find', arguments: {}, params: { name: 'find' } };
    await replyTo(call, policy, textResult('one'));
    expect(hub.state.entries.size).toBe(0);
  });

  it.each([
    textResult('failed', { isError: true }),
    textResult('more?', { resultType: 'input_required' }),
    { task: { taskId: '1' } },
    { content: [{ type: 'resource_link', uri: 'hubgate://results/abc', name: 'all' }] } satisfies ToolsReply,
    textResult('hubgate://results/abc (text/plain)'),
    textResult('exact', {
      structuredContent: { id: (JSON as unknown as { rawJSON(text: string): object }).rawJSON('12345678901234567890') },
    }),
  ])('do not have this kept: %o', async (reply) => {
    expect(isResultUri('hubgate://results/abc')).toBe(true);
    const policy = await hub.bound({ tools: true });
    const call = toolCall();
    await replyTo(call, policy, reply);
    expect([didOf(call), hub.state.entries.size]).toEqual([['miss'], 0]);
  });

  it('are not cached with more than name and arguments, such as a task', async () => {
    const policy = await hub.bound({ tools: true });
    for (const more of [{ task: { ttl: 1 } }, { requestState: 'x', inputResponses: {} }]) {
      expect(await tellTool(policy, toolCall(more), textResult('one'))).toEqual(['bypass', 'one']);
    }
  });

  it('answer with what they said at the end of a stream', async () => {
    const policy = await hub.bound({ tools: true });
    const progress: Chunk<'tools'> = { type: 'notification', method: 'notifications/progress', params: { progress: 1 } };
    const chunks: Chunk<'tools'>[] = [progress, { type: 'result', result: textResult('one') }];
    expect(await chunksOf(await pass(toolCall(), policy, () => ({ stream: streamOf(chunks) })))).toEqual(chunks);
    expect(await tellTool(policy, toolCall(), textResult('two'))).toEqual(['hit', 'one']);
  });

  it('do not when they have asked their caller', async () => {
    const policy = await hub.bound({ tools: true });
    const question: Chunk<'tools'> = { type: 'request', id: '1', method: 'elicitation/create', params: {} };
    const chunks: Chunk<'tools'>[] = [question, { type: 'result', result: textResult('one') }];
    await chunksOf(await pass(toolCall(), policy, () => ({ stream: streamOf(chunks) })));
    expect(await tellTool(policy, toolCall(), textResult('two'))).toEqual(['miss', 'two']);
  });
});

describe('options', () => {
  it.each([
    [{ ttl: '5' }, 'ttl: "5" is no time.'],
    [{ ttl: '25d' }, 'at most 24d'],
    [{ maxSize: '1TB' }, 'maxSize: "1TB" is no size.'],
  ])('say what is wrong with %o', async (options, message) => {
    await expect(hub.bound(options)).rejects.toMatchObject({ code: 'bad_request', message: expect.stringContaining(message) });
  });

  it('are described', async () => {
    const { checkOptions } = await import('../../../src/config/extensions.ts');
    for (const options of [{}, { ttl: '5m', scope: 'all', tools: true, maxSize: '64KB' }, { tools: ['get*'] }])
      expect(checkOptions(cache, options)).toEqual([]);
    for (const options of [{ ttl: 5 }, { scope: 'me' }, { tools: 'get*' }, { tools: [1] }, { size: '1MB' }])
      expect(checkOptions(cache, options)).toHaveLength(1);
  });
});
