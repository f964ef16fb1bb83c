import { hubAgents, hubModels, hubTools } from './hub-targets.ts';
import { portkey } from './portkey.ts';
import { agentMessages, chatCalls, chatStreams, sessionCalls, statelessCalls } from './requests.ts';
import { CHAT_PATH, MCP_PATH, nginx, reference, type Contender, type Target } from './targets.ts';

/** What the judged target may cost at most. */
export type Goal =
  /** CPU for a call, of streams for a chunk, as a multiple of the baseline's; of another target than the judged one where `target` names it. */
  | { readonly of: 'cpu'; readonly target?: string; readonly baseline: string; readonly atMost: number }
  /** Milliseconds that the first chunk comes later than at the upstream itself, as the median. */
  | { readonly of: 'first byte'; readonly atMost: number };

/** One way of calling that is measured. */
export interface Style {
  readonly name: string;
  /** The scenario of the bench kit that is the same, and what else the kit has to be told; absent where it has none. */
  readonly kit?: { readonly scenario: string; readonly options?: readonly string[] };
  readonly connections: number;
  /** Text of every good answer. */
  readonly expect: string;
  readonly goals: readonly Goal[];
  /** Answers are streams of so many chunks, the first at the upstream after so long; starts are spread over `rampMs`. */
  readonly stream?: { readonly chunks: number; readonly firstAfterMs: number; readonly rampMs: number };
  /** Targets that can convert between formats are asked to. */
  readonly isConverted?: boolean;
  requests(target: Target, origin: string, connections: number): Promise<string[]>;
}

export interface Scenario {
  readonly title: string;
  /** The first is what is judged, the others what it is compared with. */
  readonly contenders: readonly [Contender, ...Contender[]];
  readonly styles: readonly Style[];
  readonly note: string;
}

/** The target as a style calls it. */
export const asCalled = (style: Style, target: Target): Target => (style.isConverted ? { ...target, ...target.converted } : target);

const bare: Contender = { name: 'bare', isInKit: true, make: reference('bare.mjs', CHAT_PATH) };
const overBare = (atMost: number): Goal => ({ of: 'cpu', baseline: 'bare', atMost });

const hub: Contender = { name: 'hubgate', isInKit: false, make: hubModels(1) };
const tenfold: Contender = { name: 'hubgate-10x', isInKit: false, make: hubModels(10) };
const withTenfold: Goal = { of: 'cpu', target: tenfold.name, baseline: hub.name, atMost: 1.1 };
const models: Scenario['contenders'] = [hub, bare, nginx, portkey];
const MODELS_NOTE =
  'hubgate: key, limits of requests and tokens, a budget, routing over two targets, accounting and the stored record on. bare: a relay over node:http and undici with none of it. nginx: one process that relays. ' +
  'portkey: @portkey-ai/gateway 1.15.2 with routing by header, without keys, limits or a store.';

const calls = { connections: 32, expect: '"total_tokens":143' };

const tools = {
  connections: 32,
  expect: 'Rex',
  goals: [
    { of: 'cpu', baseline: 'sdk2-rest', atMost: 0.2 },
    { of: 'cpu', baseline: 'mcp-raw-rest', atMost: 2 },
  ],
} satisfies Partial<Style>;

const MODEL = 'mock-64x50f100';
const RAMP_MS = 3200;

/** So many streams at once, each of 64 chunks of about 280 bytes, one each 50 ms, the first after 100 ms. */
const streams = (connections: number): Style => ({
  name: `${connections} streams`,
  kit: { scenario: 'stream', options: ['--model', MODEL, '--ramp', String(RAMP_MS)] },
  connections,
  expect: calls.expect,
  goals: [overBare(1.25), { of: 'first byte', atMost: 1 }],
  stream: { chunks: 64, firstAfterMs: 100, rampMs: RAMP_MS },
  requests: (target) => chatStreams(target, MODEL),
});

export const scenarios: ReadonlyMap<string, Scenario> = new Map<string, Scenario>([
  [
    'chat',
    {
      title: 'chat completions, 1 KB in and 1 KB out',
      contenders: [hub, tenfold, ...models.slice(1)],
      styles: [
        { ...calls, name: 'relayed', kit: { scenario: 'chat' }, goals: [overBare(1.9), withTenfold], requests: chatCalls },
        {
          ...calls,
          name: "converted to Anthropic's format",
          kit: { scenario: 'chat' },
          goals: [overBare(4), withTenfold],
          isConverted: true,
          requests: chatCalls,
        },
      ],
      note: `${MODELS_NOTE} hubgate-10x: the same with ten times as many routes, consumers, limits and budgets. bare and nginx cannot convert: where the others do, they relay.`,
    },
  ],
  [
    'stream',
    {
      title: 'streamed chat completions, 64 chunks each, one per 50 ms',
      contenders: models,
      styles: [streams(50), streams(500)],
      note: `${MODELS_NOTE} It answers streams with the @hono/node-server that bench/peers pins.`,
    },
  ],
  [
    'agents',
    {
      title: 'messages to an A2A agent',
      contenders: [
        { name: 'hubgate', isInKit: false, make: hubAgents },
        { name: 'bare', isInKit: true, make: reference('bare.mjs', '/a2a') },
      ],
      styles: [
        {
          name: 'A2A 1.0, JSON-RPC',
          connections: 32,
          expect: 'hello from the mock agent',
          goals: [overBare(1.8)],
          requests: agentMessages,
        },
      ],
      note: 'hubgate: key, access list and the stored record on. bare: a relay over node:http and undici with none of it.',
    },
  ],
  [
    'tools',
    {
      title: 'tools/call over an OpenAPI service',
      contenders: [
        { name: 'hubgate', isInKit: false, make: hubTools },
        { name: 'sdk2-rest', isInKit: true, make: reference('mcp-sdk2.mjs', MCP_PATH, { REST: '1' }) },
        { name: 'mcp-raw-rest', isInKit: true, make: reference('mcp-raw.mjs', MCP_PATH, { REST: '1' }) },
      ],
      styles: [
        { ...tools, name: 'MCP 2026-07-28', kit: { scenario: 'mcp26' }, requests: statelessCalls },
        { ...tools, name: 'MCP 2025-11-25', kit: { scenario: 'mcp25' }, requests: sessionCalls },
      ],
      note:
        'hubgate: key, access list, validation of arguments and the stored record on. sdk2-rest: createMcpHandler of the MCP SDK v2 with none of it; ' +
        'it answers 2025-11-25 through its stateless fallback, without a session. mcp-raw-rest: JSON-RPC by hand over node:http, with none of it.',
    },
  ],
]);
