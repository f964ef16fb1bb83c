import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hub, startHub } from '../../../support/start-hub.ts';
import { type Binding, type FixtureAgent, startFixtureAgent } from './fixture-agent.ts';
import { consumerOf } from './stage.ts';

const TICK_MS = 120;
const CHUNKS = 6;
/** Far more than the hub needs, and far less than it would take to hold one event back for the next. */
const LATER_MS = 90;
/** After this much silence there has been a comment. */
const SILENCE_MS = 18_000;

interface Arrivals {
  readonly response: Response;
  /** What came, by name or as a comment, and milliseconds after the request. */
  readonly seen: readonly { readonly what: string; readonly at: number }[];
}

describe('events of a stream come as the agent sends them', () => {
  let agent: FixtureAgent;
  let hub: Hub;
  let silent: Promise<Arrivals>;
  const alice = consumerOf('alice');

  beforeAll(async () => {
    agent = await startFixtureAgent({ versions: ['1.0'], bindings: ['JSONRPC', 'HTTP+JSON'], tickMs: TICK_MS });
    const config = { agents: { fixture: { card: agent.url } }, consumers: [alice.entry] };
    hub = await startHub({ files: { 'hubgate.yaml': JSON.stringify(config) } });
    await read(hubUrl(), 'JSONRPC', 'hello', alice.key);
    silent = read(hubUrl(), 'JSONRPC', `silent ${Math.ceil(SILENCE_MS / TICK_MS)}`, alice.key, (what) => what === 'comment');
    // It is waited for in a test of its own.
    silent.catch(() => undefined);
  });
  afterAll(async () => {
    await hub?.stop();
    await agent?.kill();
  });

  const hubUrl = (): string => `${hub.url}/a2a/fixture`;

  it.each(['JSONRPC', 'HTTP+JSON'] as const)('in order and at once: %s', async (binding) => {
    const direct = await read(`${agent.url}/a2a/${binding === 'JSONRPC' ? 'jsonrpc' : 'rest'}`, binding, `long ${CHUNKS}`);
    const through = await read(hubUrl(), binding, `long ${CHUNKS}`, alice.key);
    const wanted = [
      'task',
      'TASK_STATE_WORKING',
      ...Array.from({ length: CHUNKS }, (_, i) => `chunk ${i + 1} of ${CHUNKS}\n`),
      'TASK_STATE_COMPLETED',
    ];
    expect(direct.seen.map(({ what }) => what)).toEqual(wanted);
    expect(through.seen.map(({ what }) => what)).toEqual(wanted);
    const later = through.seen.map(({ at }, i) => at - direct.seen[i]!.at);
    expect(Math.max(...later), `later than directly by ${later.map(Math.round).join(', ')} ms`).toBeLessThan(LATER_MS + TICK_MS);
    // One event on its own may be late on a busy machine; if one waited for the next, half of them were.
    expect(later.toSorted((one, other) => one - other)[Math.floor(later.length / 2)]).toBeLessThan(LATER_MS);
  });

  it('nobody on the way is to hold them back', async () => {
    const { response } = await read(hubUrl(), 'HTTP+JSON', 'hello', alice.key);
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    expect(response.headers.get('cache-control')).toMatch(/no-(?:cache|store)/);
    expect(response.headers.get('content-encoding')).toBeNull();
  });

  it('comments keep a silent stream open', async () => {
    const { seen } = await silent;
    expect(seen.map(({ what }) => what)).toEqual(['task', 'TASK_STATE_WORKING', 'comment']);
    expect(seen.at(-1)!.at).toBeLessThan(SILENCE_MS);
  });
});

/** One message, streamed, without the SDK: it does not show comments. Stops when `enough` says so. */
async function read(url: string, binding: Binding, text: string, key?: string, enough?: (what: string) => boolean): Promise<Arrivals> {
  const message = { message: { messageId: crypto.randomUUID(), role: 'ROLE_USER', parts: [{ text }] } };
  const isRpc = binding === 'JSONRPC';
  const began = performance.now();
  const away = new AbortController();
  const response = await fetch(isRpc ? url : `${url}/message:stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'a2a-version': '1.0', ...(key && { authorization: `Bearer ${key}` }) },
    body: JSON.stringify(isRpc ? { jsonrpc: '2.0', id: 1, method: 'SendStreamingMessage', params: message } : message),
    signal: away.signal,
  });
  const seen: { what: string; at: number }[] = [];
  let left = '';
  for await (const bytes of response.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (left + bytes).split(/\r?\n\r?\n/);
    left = blocks.pop() ?? '';
    for (const block of blocks) seen.push({ what: whatOf(block), at: performance.now() - began });
    if (seen.some(({ what }) => enough?.(what))) break;
  }
  away.abort();
  return { response, seen };
}

function whatOf(block: string): string {
  if (block.startsWith(':')) return 'comment';
  const data = JSON.parse(block.replaceAll(/^(?:id|event): .*\n/gm, '').replace(/^data: ?/, ''));
  const { task, statusUpdate, artifactUpdate } = data.result ?? data;
  if (task !== undefined) return 'task';
  return statusUpdate?.status.state ?? artifactUpdate?.artifact.parts[0].text ?? JSON.stringify(data);
}
