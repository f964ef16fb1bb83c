import { hash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallRecord } from '../../../src/core/contracts/call-log.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { askAdmin } from '../../support/ask-admin.ts';
import { type EchoServer, sendJson, startEchoServer } from '../../support/echo-server.ts';
import type { Hub } from '../../support/start-hub.ts';
import { completion } from './_completion.ts';

export const keyOf = (name: string): string => `hg_key-of-${name}`;

/** A consumer as the configuration has it. */
export const consumer = (name: string, more: object = {}): object => ({
  name,
  keys: [{ sha256: hash('sha256', keyOf(name)) }],
  ...more,
});

export type Door = 'chat' | 'responses' | 'messages';

export interface Saying {
  /** Whose key is sent. */
  readonly as: string;
  readonly model: string;
  readonly door?: Door;
  readonly stream?: boolean;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What stands before `/v1`. */
  readonly api?: string;
  /** Leaves as soon as this has come: nothing of it, or that much text. */
  readonly leaves?: RegExp;
  readonly signal?: AbortSignal;
}

export interface Said {
  readonly status: number;
  readonly headers: Response['headers'];
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into what they know
  readonly body: any;
  readonly id: string;
  /** The caller has left, or the connection broke before the end. */
  readonly broken: boolean;
}

/** Six tokens, which mocks answer with seven. */
export const SIX_WORDS = 'one two three four five six';
const PATHS = { chat: '/v1/chat/completions', responses: '/v1/responses', messages: '/v1/messages' };

/** One request, without a bound on how many go at once, and never sent again. Rejects where no answer came at all. */
export async function say(hub: Hub, saying: Saying): Promise<Said> {
  const { as, model, door = 'chat', stream = false, text: content = SIX_WORDS, headers = {}, api = '', leaves } = saying;
  const leaving = new AbortController();
  const messages = [{ role: 'user', content }];
  const body = {
    model,
    ...(door === 'responses' ? { input: messages, store: false } : { messages }),
    ...(door === 'messages' && { max_tokens: 4_096 }),
    ...(stream && { stream: true }),
    ...(stream && door === 'chat' && { stream_options: { include_usage: true } }),
  };
  const answer = await fetch(`${hub.url}${api}${PATHS[door]}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${keyOf(as)}`, 'anthropic-version': '2023-06-01', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.any([leaving.signal, ...(saying.signal === undefined ? [] : [saying.signal])]),
  });
  let text = '';
  let broken = false;
  try {
    for await (const piece of answer.body!.pipeThrough(new TextDecoderStream())) {
      text += piece;
      if (leaves?.test(text)) leaving.abort();
    }
  } catch {
    broken = true;
  }
  const isJson = !broken && /json/.test(answer.headers.get('content-type') ?? '');
  const id = String(answer.headers.get('x-request-id'));
  return { status: answer.status, headers: answer.headers, text, body: isJson ? JSON.parse(text) : undefined, id, broken };
}

export const times = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)));

/** How many passed and how many met a limit. Throws for what was anything else. */
export function outcomes(said: readonly Said[]): { readonly passed: number; readonly refused: number } {
  const passed = said.filter(({ status, broken }) => status === 200 && !broken).length;
  const refused = said.filter(({ status }) => status === 429).length;
  const odd = said.find(({ status, broken }) => broken || (status !== 200 && status !== 429));
  if (odd !== undefined) throw new Error(`neither passed nor refused: ${odd.status} ${odd.text}`);
  return { passed, refused };
}

/** The tokens that a whole answer or a whole stream says that it used. */
export function tokensIn({ text, body }: Said): number | undefined {
  const events = body === undefined ? text.split('\n').flatMap((line) => (line.startsWith('data: {') ? [line.slice(6)] : [])) : [];
  const parts: JsonObject[] = body === undefined ? events.map((event) => JSON.parse(event) as JsonObject) : [body as JsonObject];
  let input: number | undefined;
  let output: number | undefined;
  for (const part of parts) {
    for (const found of [part, part['message'], part['response']] as (JsonObject | undefined)[]) {
      const usage = (found?.['usage'] ?? {}) as Record<string, number | undefined>;
      input = usage['prompt_tokens'] ?? usage['input_tokens'] ?? input;
      output = usage['completion_tokens'] ?? usage['output_tokens'] ?? output;
    }
  }
  return input === undefined || output === undefined ? undefined : input + output;
}

/** What a rule says of a consumer's calls: `650 used or reserved, 0 left`. Throws when there is no such rule. */
export async function standing(hub: Hub, rule: RegExp, query: Readonly<Record<string, string>>): Promise<string> {
  const { body } = await askAdmin(hub, 'GET', `/explain?${String(new URLSearchParams(query))}`);
  const steps = (body.steps ?? []) as { readonly rule: string; readonly value?: unknown }[];
  const found = steps.find((step) => rule.test(step.rule));
  if (found === undefined) throw new Error(`no rule ${rule}: ${JSON.stringify(body)}`);
  return String(found.value);
}

/** The records of a consumer, oldest first, once there are so many. */
export async function recordsOf(hub: Hub, name: string, count: number): Promise<readonly CallRecord[]> {
  for (let tries = 0; ; tries++) {
    const { body } = await askAdmin(hub, 'GET', `/calls?consumer=${name}&limit=1000`);
    const items = body.items as CallRecord[];
    if (items.length >= count) return items.toReversed();
    if (tries === 200) throw new Error(`${items.length} records of ${name} in place of ${count}`);
    await sleep(25);
  }
}

export interface Spent {
  readonly tokens: number;
  readonly usd: number;
}

/** What `GET /admin/v1/usage` says that a consumer used. */
export async function usageOf(hub: Hub, name: string): Promise<Spent> {
  const { body } = await askAdmin(hub, 'GET', `/usage?consumer=${name}`);
  const items = body.items as { readonly totalTokens: number; readonly usd: number }[];
  return { tokens: sum(items, ({ totalTokens }) => totalTokens), usd: sum(items, ({ usd }) => usd) };
}

/** The same, added up from the records. */
export function spentIn(records: readonly CallRecord[]): Spent {
  return { tokens: sum(records, tokensOf), usd: sum(records, ({ usage }) => usage?.cost ?? 0) };
}

/** Some vendors name no total. */
export const tokensOf = ({ usage }: CallRecord): number => usage?.totalTokens ?? (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0);

const sum = <T>(items: readonly T[], of: (item: T) => number): number => items.reduce((total, item) => total + of(item), 0);

/** An upstream that answers nobody before it is told to. */
export interface Gate {
  readonly server: EchoServer;
  /** How many wait at it. */
  readonly waiting: () => number;
  /** Answers all that wait, and those that come afterwards at once. */
  open(): void;
  close(): void;
}

/** Speaks chat completions, whole and streamed; other paths get an empty object. */
export async function startGate(): Promise<Gate> {
  let shut = true;
  let held: (() => void)[] = [];
  const server = await startEchoServer(async ({ path, body }, response) => {
    if (shut) await new Promise<void>((resolve) => held.push(resolve));
    if (path.includes('/chat/completions')) answerChat(JSON.parse(body.toString()) as JsonObject, response);
    else sendJson(response, 200, {});
  });
  return {
    server,
    waiting: () => held.length,
    open() {
      shut = false;
      for (const go of held) go();
      held = [];
    },
    close() {
      shut = true;
    },
  };
}

function answerChat({ model, stream }: JsonObject, response: ServerResponse): void {
  if (stream !== true) return sendJson(response, 200, completion(String(model)));
  const chunk = (delta: object, finish: string | null): string =>
    `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(`${chunk({ role: 'assistant', content: 'hi' }, null)}${chunk({}, 'stop')}data: [DONE]\n\n`);
}
