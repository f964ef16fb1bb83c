import { expect } from 'vitest';
import type { Chunk, Handled, Lane, Reply } from '../../../src/core/call.ts';
import type { Consumer } from '../../../src/core/consumer.ts';
import type { Awaitable, Host } from '../../../src/core/contracts/extension.ts';
import type { Semantics } from '../../../src/core/contracts/semantics.ts';
import type { PolicyHooks } from '../../../src/core/contracts/policy.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { ModelsChunk, ModelsOperation, ModelsReply } from '../../../src/core/models.ts';
import type { Tool, ToolsReply } from '../../../src/core/tools.ts';
import { modelSegments } from '../../../src/lanes/models/segments.ts';
import { toolReplies, toolSegments } from '../../../src/lanes/tools/segments.ts';
import { composeChain, type BoundPolicy } from '../../../src/pipeline/chain.ts';
import { LiveCall } from '../../../src/pipeline/live-call.ts';
import { run, type LaneReplies } from '../../../src/pipeline/run.ts';
import type { CachedLane } from '../../../src/policies/_cache-key.ts';
import cache, { type CacheOptions } from '../../../src/policies/cache.ts';
import semanticCache, { type SemanticCacheOptions } from '../../../src/policies/semantic-cache.ts';

export const ALICE: Consumer = { name: 'alice', groups: ['staff', 'sales'], anonymous: false };
export const BOB: Consumer = { name: 'bob', groups: ['sales', 'staff'], anonymous: false };
export const CAROL: Consumer = { name: 'carol', groups: ['staff'], anonymous: false };

/** Failures of policies, which the pipeline passes over: there must be none. */
const logged: string[] = [];
const log: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: (fields, message) => void logged.push(`${message} ${String((fields as { err?: unknown }).err)}`),
  child: () => log,
};

export interface FakeState {
  readonly entries: Map<string, { text: string; until: number }>;
  now: number;
  /** Answers of `get` wait for this. */
  gate?: Promise<void> | undefined;
}

export interface CachedHub {
  readonly state: FakeState;
  /** What the pipeline has logged since this was asked. */
  logged(): readonly string[];
  /** One use of the policy. */
  bound(options?: CacheOptions, more?: Partial<BoundPolicy>): Promise<BoundPolicy>;
  /** One use of `semantic-cache`. */
  semantic(options?: SemanticCacheOptions): Promise<BoundPolicy>;
}

/** `embed` is what policies are lent to find what means the same. */
export function createHub(embed: Semantics['embed'] = () => Promise.reject(new Error('no model')), place = ''): CachedHub {
  const state: FakeState = { entries: new Map(), now: 1_000_000 };
  const read = (key: string): string | undefined => {
    const entry = state.entries.get(key);
    return entry !== undefined && entry.until > state.now ? entry.text : undefined;
  };
  const shared = new Map<string, unknown>();
  const host = {
    place,
    log,
    now: () => state.now,
    semantics: { embed },
    shared<T>(key: string, create: () => T): T {
      if (!shared.has(key)) shared.set(key, create());
      return shared.get(key) as T;
    },
    state: {
      get: (key: string): Awaitable<string | undefined> => (state.gate === undefined ? read(key) : state.gate.then(() => read(key))),
      set: (key: string, text: string, ttlMs: number): void => void state.entries.set(key, { text, until: state.now + ttlMs }),
    },
  } as unknown as Host;
  logged.length = 0;
  return {
    state,
    logged: () => logged.splice(0),
    async bound(options = {}, more = {}) {
      const hooks = (await cache.create(options, host)) as PolicyHooks;
      return { name: cache.name, stage: cache.stage, lanes: cache.lanes as readonly Lane[], hooks, ...more };
    },
    async semantic(options = {}) {
      const { name, stage, lanes } = semanticCache;
      return { name, stage, lanes: lanes as readonly Lane[], hooks: (await semanticCache.create(options, host)) as PolicyHooks };
    },
  };
}

export interface Asked {
  readonly consumer?: Consumer;
  readonly route?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const CHAT = { model: 'gpt', messages: [{ role: 'user', content: 'Hi' }] };

export function chatCall(body: JsonObject = CHAT, asked: Asked & { readonly operation?: ModelsOperation } = {}): LiveCall<'models'> {
  const { operation = 'chat', consumer = ALICE, route = 'support', headers = {} } = asked;
  return new LiveCall<'models'>({
    id: 'id',
    lane: 'models',
    operation,
    route,
    consumer,
    request: { headers, ip: '127.0.0.1', size: 100 },
    log,
    codec: modelSegments,
    input: { model: typeof body['model'] === 'string' ? body['model'] : '', stream: body['stream'] === true, body },
  });
}

export const FIND: Tool = {
  name: 'find',
  source: 'pets',
  sourceName: 'findPets',
  risk: 'read',
  tags: [],
  definition: { name: 'find', inputSchema: {}, annotations: { readOnlyHint: true } },
};

export function toolCall(params: JsonObject = {}, tool: Tool | undefined = FIND, asked: Asked = {}): LiveCall<'tools'> {
  const { consumer = ALICE, route = 'shop', headers = {} } = asked;
  const whole = { name: 'find', arguments: { text: 'cat' }, ...params };
  return new LiveCall<'tools'>({
    id: 'id',
    lane: 'tools',
    operation: 'tools/call',
    route,
    consumer,
    request: { headers, ip: '127.0.0.1', size: 100 },
    log,
    codec: toolSegments,
    input: { name: whole.name, ...(tool === undefined ? {} : { tool }), arguments: whole.arguments, params: whole },
  });
}

export const chatReply = (content: string, finish: string | null = 'stop'): ModelsReply => ({
  body: { id: 'chatcmpl-1', choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: finish }] },
});
export const textResult = (text: string, more: Partial<ToolsReply> = {}): ToolsReply => ({ content: [{ type: 'text', text }], ...more });

const modelReplies: LaneReplies<'models'> = {
  failed: () => false,
  completed: (chunk) => chunk.reply,
  replay: () => [],
  urgent: () => false,
};

/** Moves a call through the real pipeline. */
export function pass<L extends CachedLane>(
  call: LiveCall<L>,
  policies: BoundPolicy | readonly BoundPolicy[],
  handle: () => Awaitable<Handled<L>>,
): Promise<Handled<L>> {
  const replies = (call.lane === 'models' ? modelReplies : toolReplies) as unknown as LaneReplies<L>;
  return run(call, composeChain([policies].flat(), call.lane), replies, handle);
}

/** The same, for calls that are answered whole. */
export async function replyTo<L extends CachedLane>(
  call: LiveCall<L>,
  policies: BoundPolicy | readonly BoundPolicy[],
  reply: Reply<L>,
): Promise<Reply<L>> {
  const handled = await pass(call, policies, () => ({ reply }));
  if (!('reply' in handled)) throw new Error('expected a reply');
  return handled.reply;
}

/** The chunks of a streamed chat: its pieces, and with `reply` the one that completes it. */
export function chatChunks(pieces: readonly string[], reply?: ModelsReply): ModelsChunk[] {
  const said = pieces.map((content): ModelsChunk => ({ data: { choices: [{ index: 0, delta: { content } }] } }));
  return reply === undefined ? said : [...said, { data: {}, reply }];
}

export async function* streamOf<C>(chunks: readonly C[]): AsyncGenerator<C> {
  yield* chunks;
}

export async function chunksOf<L extends CachedLane>(handled: Handled<L>): Promise<Chunk<L>[]> {
  if (!('stream' in handled)) throw new Error('expected a stream');
  const chunks: Chunk<L>[] = [];
  for await (const chunk of handled.stream) chunks.push(chunk);
  return chunks;
}

/** What the cache did with a call. */
export function didOf(call: LiveCall<'models'> | LiveCall<'tools'>): readonly (string | undefined)[] {
  return call.events.filter(({ type }) => type === 'cached').map(({ detail }) => detail);
}

/** Asks once, with an answer that is told apart, and says what the cache did and whose answer came. */
export async function ask(policies: BoundPolicy | readonly BoundPolicy[], call: LiveCall<'models'>, own: string): Promise<string> {
  const reply = await replyTo(call, policies, chatReply(own));
  const [choice] = reply.body['choices'] as { message: { content: string } }[];
  expect(choice).toBeDefined();
  return `${didOf(call).join(' ')}: ${choice?.message.content}`;
}
