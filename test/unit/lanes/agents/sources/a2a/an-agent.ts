import type { IncomingMessage, ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import type { AgentOperation } from '../../../../../../src/core/agents.ts';
import type { Call, Handled } from '../../../../../../src/core/call.ts';
import { ANONYMOUS, type Consumer } from '../../../../../../src/core/consumer.ts';
import type { AgentLine, AgentSource } from '../../../../../../src/core/contracts/agent-source.ts';
import type { JsonObject } from '../../../../../../src/core/json.ts';
import type { RequestSigner, UpstreamRequest } from '../../../../../../src/core/upstream.ts';
import { createA2ASource, type A2AFacts, type A2AHost } from '../../../../../../src/lanes/agents/sources/a2a/a2a-source.ts';
import type { UpstreamHttp } from '../../../../../../src/upstreams/http.ts';
import { http, serve } from '../../../../upstreams/upstream.ts';

/** What an agent was asked. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: JsonObject;
}

export type Interface = {
  readonly path?: string;
  readonly url?: string;
  readonly binding?: string;
  readonly version?: string;
  readonly tenant?: string;
};
type Answering = (asked: Asked, res: ServerResponse) => void | Promise<void>;

const CARD_PATH = '/.well-known/agent-card.json';
export const RPC_1_0: Interface = { path: '/rpc', binding: 'JSONRPC', version: '1.0' };
export const MESSAGE = { messageId: 'm1', role: 'ROLE_USER', parts: [{ text: 'hello' }] };
export const TASK = { id: 't1', contextId: 'c1', status: { state: 'TASK_STATE_WORKING' } };

/** A real server that has a card and answers by hand. */
export async function agent(
  answer: Answering,
  { interfaces = [RPC_1_0], card = {} }: { readonly interfaces?: readonly Interface[]; readonly card?: JsonObject } = {},
) {
  const asked: Asked[] = [];
  const cards: Asked[] = [];
  const { origin, server } = await serve(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const one = { method: req.method!, path: req.url!, headers: req.headers, body: text === '' ? {} : (JSON.parse(text) as JsonObject) };
    if (req.url!.split('?')[0] !== CARD_PATH) {
      asked.push(one);
      await answer(one, res);
      return;
    }
    cards.push(one);
    const supportedInterfaces = interfaces.map(({ path, url, binding, version, tenant }) => ({
      url: url ?? `${origin}${path ?? '/rpc'}`,
      protocolBinding: binding ?? 'JSONRPC',
      protocolVersion: version ?? '1.0',
      ...(tenant === undefined ? {} : { tenant }),
    }));
    res.setHeader('content-type', 'application/json');
    res.end(
      JSON.stringify({
        name: 'A',
        version: '1',
        description: '',
        skills: [],
        capabilities: { streaming: true },
        supportedInterfaces,
        ...card,
      }),
    );
  });
  return { origin, server, asked, cards, cardUrl: `${origin}${CARD_PATH}` };
}

export const LOG: A2AHost['log'] = { debug() {}, info() {}, warn() {}, error() {}, child: () => LOG };

/** The source of an agent, and the way to call it. */
export function sourceOf(
  card: string,
  facts: Partial<A2AFacts> = {},
  host: Partial<A2AHost> = {},
): { source: AgentSource; web: UpstreamHttp } {
  const web = host.http ?? http();
  const source = createA2ASource(
    { name: 'a', card, trust: 'operator', ...facts },
    { http: web, log: LOG, redact: (text) => text, ...host },
  );
  onTestFinished(() => source[Symbol.asyncDispose]?.());
  return { source, web };
}

interface CallFacts {
  readonly extensions?: readonly string[];
  readonly consumer?: Consumer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** What was asked is told by the line, not by the call. */
function callOf({ consumer = ANONYMOUS, headers = {}, signal }: CallFacts): Call<'agents'> {
  return { consumer, request: { headers }, signal: signal ?? new AbortController().signal } as unknown as Call<'agents'>;
}

function lineOf(web: UpstreamHttp, operation: AgentOperation, params: JsonObject, { extensions = [], signal }: CallFacts): AgentLine {
  const signed = async (request: UpstreamRequest, signers: readonly RequestSigner[]): Promise<UpstreamRequest> => {
    let ready = request;
    for (const signer of signers) ready = await signer.sign(ready, { refresh: false });
    return ready;
  };
  const until = signal === undefined ? {} : { signal };
  return {
    operation,
    params,
    extensions,
    send: async (request, signers) => web.send(await signed(request, signers), until),
    open: async (request, signers) => web.open(await signed(request, signers), until),
  };
}

/** Calls as the lane does. */
export function ask(
  { source, web }: { readonly source: AgentSource; readonly web: UpstreamHttp },
  operation: AgentOperation,
  params: JsonObject = { message: MESSAGE },
  facts: CallFacts = {},
): Promise<Handled<'agents'>> {
  return source.call(callOf(facts), lineOf(web, operation, params, facts));
}

export async function reply(handled: Promise<Handled<'agents'>>): Promise<JsonObject> {
  const answer = await handled;
  if (!('reply' in answer)) throw new Error('it is a stream');
  return answer.reply.result;
}

export async function stream(handled: Promise<Handled<'agents'>>): Promise<AsyncIterable<{ readonly event: JsonObject }>> {
  const answer = await handled;
  if (!('stream' in answer)) throw new Error('it is no stream');
  return answer.stream;
}

/** All events, and what ended them. */
export async function events(handled: Promise<Handled<'agents'>>): Promise<{ events: JsonObject[]; error?: unknown }> {
  const got: JsonObject[] = [];
  try {
    for await (const { event } of await stream(handled)) got.push(event);
  } catch (error) {
    return { events: got, error };
  }
  return { events: got };
}

export function answerJson(res: ServerResponse, body: unknown, status = 200): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

export const rpc = (result: unknown): JsonObject => ({ jsonrpc: '2.0', id: 1, result });
