import type { Target } from './targets.ts';

/** Stands in a request where its JSON-RPC id goes; the load client writes another ten digits over it each time. */
export const REQUEST_ID = '1000000000';

export const ACCEPT = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' };
const CLIENT = { name: 'bench', version: '1.0.0' };
/** `_meta` of every request under MCP 2026-07-28. */
export const statelessMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': CLIENT,
  'io.modelcontextprotocol/clientCapabilities': {},
};
const TOOL = 'getPet';
const ARGUMENTS = { petId: 7 };

const SENTENCE = 'Summarise the following report for a busy reader, naming the three main risks and who should act on each of them. ';
/** What is asked of a model: about 1 KB as JSON. */
const CHAT = {
  messages: [
    { role: 'system', content: 'You are a careful assistant.' },
    { role: 'user', content: SENTENCE.repeat(7) },
  ],
  temperature: 0.2,
  max_tokens: 256,
};
const CHAT_HEADERS = { 'Content-Type': 'application/json', 'User-Agent': 'OpenAI/JS 6.0', Authorization: 'Bearer sk-bench-00000007' };
/** What a target that says nothing else is asked for. */
const CHAT_MODEL = 'mock-model';

type Where = Pick<Target, 'path' | 'headers'>;

/** One chat in OpenAI's format, answered whole. */
export function chatCalls({ path, headers, model = CHAT_MODEL }: Target): Promise<string[]> {
  const all = { ...CHAT_HEADERS, Accept: 'application/json', ...headers };
  return Promise.resolve([post(path, all, JSON.stringify({ model, ...CHAT }))]);
}

/** The same chat with a model whose name sets the pace, answered as a stream that ends with the usage. */
export function chatStreams({ path, headers }: Target, model: string): Promise<string[]> {
  const all = { ...CHAT_HEADERS, Accept: 'text/event-stream', ...headers };
  return Promise.resolve([post(path, all, JSON.stringify({ model, ...CHAT, stream: true, stream_options: { include_usage: true } }))]);
}

/** One call under MCP 2026-07-28: no session, what the revision wants to know stands in every request. */
export function statelessCalls(target: Where): Promise<string[]> {
  const headers = { ...ACCEPT, 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/call', 'Mcp-Name': TOOL, ...target.headers };
  return Promise.resolve([post(target.path, headers, call({ name: TOOL, arguments: ARGUMENTS, _meta: statelessMeta }))]);
}

/** One call for each connection under MCP 2025-11-25, each in a session that is opened here. A server that gives no session id gets none. */
export async function sessionCalls(target: Where, origin: string, connections: number): Promise<string[]> {
  const headers = { ...ACCEPT, 'MCP-Protocol-Version': '2025-11-25', ...target.headers };
  const body = call({ name: TOOL, arguments: ARGUMENTS });
  return Promise.all(
    Array.from({ length: connections }, async () => {
      const session = await openSession(new URL(target.path, origin), headers);
      return post(target.path, session === null ? headers : { ...headers, 'Mcp-Session-Id': session }, body);
    }),
  );
}

async function openSession(url: URL, headers: Record<string, string>): Promise<string | null> {
  const send = (message: object, more: Record<string, string> = {}): Promise<Response> =>
    fetch(url, { method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify({ jsonrpc: '2.0', ...message }) });
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: CLIENT };
  const answer = await send({ id: 1, method: 'initialize', params });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`initialize at ${url.href} answered ${answer.status} ${text.slice(0, 300)}`);
  const session = answer.headers.get('mcp-session-id');
  const told = await send({ method: 'notifications/initialized' }, session === null ? {} : { 'mcp-session-id': session });
  await told.text();
  return session;
}

/** One message to an agent in A2A 1.0. */
export function agentMessages({ path, headers }: Where): Promise<string[]> {
  const message = { messageId: '11111111-2222-3333-4444-555555555555', role: 'ROLE_USER', parts: [{ text: 'How is everything today?' }] };
  const all = { 'Content-Type': 'application/json', Accept: 'application/json', 'A2A-Version': '1.0', ...headers };
  const body = `{"jsonrpc":"2.0","id":${REQUEST_ID},"method":"SendMessage","params":${JSON.stringify({ message })}}`;
  return Promise.resolve([post(path, all, body)]);
}

function call(params: object): string {
  return `{"jsonrpc":"2.0","id":${REQUEST_ID},"method":"tools/call","params":${JSON.stringify(params)}}`;
}

function post(path: string, headers: Record<string, string>, body: string): string {
  const lines = Object.entries({ Host: '127.0.0.1', ...headers, 'Content-Length': String(Buffer.byteLength(body)) });
  return `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
}
