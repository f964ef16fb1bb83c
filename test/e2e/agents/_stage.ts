import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../../src/core/json.ts';
import { type Hub, type HubOptions, startHub } from '../../support/start-hub.ts';
import { keyOf } from '../traffic/_limits.ts';
import { type RawAgent, type RawAgentOptions, startAgent } from './_agent.ts';

/** A hub before agents. */
export interface Stage {
  readonly hub: Hub;
  readonly agents: readonly RawAgent[];
  stop(): Promise<void>;
}

export interface StageOptions extends Partial<HubOptions> {
  readonly agents?: readonly RawAgentOptions[];
  readonly config: (...agents: RawAgent[]) => object;
}

/** JSON is YAML; on many lines, so that places differ. */
export async function startStage({ agents: wanted = [{}], config, files, ...options }: StageOptions): Promise<Stage> {
  const agents = await Promise.all(wanted.map((one) => startAgent(one)));
  const stopAgents = async (): Promise<void> => void (await Promise.all(agents.map((agent) => agent.stop())));
  const written = { 'hubgate.yaml': JSON.stringify(config(...agents), null, 2), ...files };
  const hub = await startHub({ ...options, files: written }).catch(async (error: unknown) => {
    await stopAgents();
    throw error;
  });
  return {
    hub,
    agents,
    async stop() {
      await hub.stop();
      await stopAgents();
    },
  };
}

export interface Caller {
  /** Whose key is sent; nobody's when absent. */
  readonly as?: string;
  readonly version?: '1.0' | '0.3' | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface Told {
  readonly status: number;
  readonly headers: Response['headers'];
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into what they know
  readonly body: any;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into what they know
  readonly result: any;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into what they know
  readonly error: any;
  readonly id: string;
}

const headersOf = ({ as, version = '1.0', headers = {} }: Caller): Record<string, string> => ({
  'a2a-version': version,
  ...(as !== undefined && { authorization: `Bearer ${keyOf(as)}` }),
  ...headers,
});

/** One request, whatever its answer is. `path` stands below the hub. */
export async function request(hub: Pick<Hub, 'url'>, method: string, path: string, caller: Caller = {}, body?: unknown): Promise<Told> {
  const headers = { ...headersOf(caller), ...(body !== undefined && { 'content-type': 'application/json' }) };
  const { signal = null } = caller;
  const answer = await fetch(`${hub.url}${path}`, { method, headers, signal, ...(body !== undefined && { body: JSON.stringify(body) }) });
  const text = await answer.text();
  const parsed = /json/.test(answer.headers.get('content-type') ?? '') && text !== '' ? (JSON.parse(text) as JsonObject) : undefined;
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    body: parsed,
    result: parsed?.['result'],
    error: parsed?.['error'],
    id: String(answer.headers.get('x-request-id')),
  };
}

/** One call of JSON-RPC. */
export function rpc(hub: Pick<Hub, 'url'>, agent: string, method: string, params: object, caller: Caller = {}): Promise<Told> {
  return request(hub, 'POST', `/a2a/${agent}`, caller, { jsonrpc: '2.0', id: 1, method, params });
}

/** Params of `SendMessage`. */
export function saying(text: string, message: object = {}, more: object = {}): object {
  return { message: { messageId: randomUUID(), role: 'ROLE_USER', parts: [{ text }], ...message }, ...more };
}

/** The same of 0.3. */
export function sayingLegacy(text: string, message: object = {}, more: object = {}): object {
  return { message: { kind: 'message', messageId: randomUUID(), role: 'user', parts: [{ kind: 'text', text }], ...message }, ...more };
}

export const NOW = { configuration: { returnImmediately: true } };

/** A stream that is read as it comes. */
export interface Listening {
  readonly status: number;
  /** What has come so far: `result` or `error` of each event. */
  readonly events: readonly JsonObject[];
  /** Resolves with the first event for which that is true, also one that has come already; rejects when the stream ends before. */
  until(is: (event: JsonObject) => boolean): Promise<JsonObject>;
  /** Resolves when the stream has ended. */
  readonly ended: Promise<void>;
  leave(): void;
}

/** Opens a stream with JSON-RPC. */
export async function listen(hub: Hub, agent: string, method: string, params: object, caller: Caller = {}): Promise<Listening> {
  const leaving = new AbortController();
  const answer = await fetch(`${hub.url}/a2a/${agent}`, {
    method: 'POST',
    headers: { ...headersOf(caller), 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    signal: leaving.signal,
  });
  const events: JsonObject[] = [];
  const watchers = new Set<() => void>();
  let isOver = false;
  const read = async (): Promise<void> => {
    let rest = '';
    try {
      for await (const piece of answer.body!.pipeThrough(new TextDecoderStream())) {
        const parts = (rest + piece).split('\n\n');
        rest = parts.pop() ?? '';
        for (const part of parts) {
          const data = part.split('\n').find((line) => line.startsWith('data:'));
          if (data === undefined) continue;
          const { result, error } = JSON.parse(data.slice(5)) as JsonObject;
          events.push((result ?? { error }) as JsonObject);
        }
        for (const look of watchers) look();
      }
    } catch {
      // The caller has left.
    }
    isOver = true;
    for (const look of watchers) look();
  };
  const ended = read();
  return {
    status: answer.status,
    events,
    ended,
    leave: () => leaving.abort(),
    until: (is) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = events.find(is);
          if (found === undefined && !isOver) return;
          watchers.delete(look);
          if (found === undefined) reject(new Error(`the stream ended with ${JSON.stringify(events)}`));
          else resolve(found);
        };
        watchers.add(look);
        look();
      }),
  };
}

/** The text of all artifacts of a task. */
export function artifactsOf(task: JsonObject): string {
  const artifacts = (task['artifacts'] ?? []) as { parts: { text?: string }[] }[];
  return artifacts.flatMap(({ parts }) => parts.map(({ text }) => text)).join(' ');
}

/** Without what differs from answer to answer, to hold two of them against each other. */
export function bare({ status, headers, text }: Told): { status: number; headers: string[]; text: string } {
  const kept = [...headers].filter(([name]) => !['x-request-id', 'date', 'content-length'].includes(name));
  return { status, headers: kept.map(String), text };
}
