/**
 * An MCP server for both eras, run as a process of its own so that tests can kill it: `node sample-server.ts PORT [KEY]`.
 * 2025-11-25 sessions live in memory, so a restart answers 404 to the old ones. Prints `ready PORT`.
 */
import { randomUUID } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import {
  acceptedContent,
  classifyInboundRequest,
  createMcpHandler,
  inputRequired,
  isInitializeRequest,
  Server,
  type Tool,
} from '@modelcontextprotocol/server';

const [port = '0', key] = process.argv.slice(2);
const sessions = new Map<string, { transport: NodeStreamableHTTPServerTransport; server: Server }>();
let extra = false;

const say = (text: string) => ({ content: [{ type: 'text' as const, text }] });
const object = (properties: NonNullable<Tool['inputSchema']['properties']> = {}) => ({ type: 'object' as const, properties });
const tools = (): Tool[] => [
  { name: 'echo', inputSchema: object({ text: { type: 'string' } }) },
  { name: 'region', inputSchema: object({ at: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } } }) },
  { name: 'steps', inputSchema: object() },
  { name: 'ask', inputSchema: object() },
  { name: 'change', inputSchema: object() },
  ...(extra ? [{ name: 'extra', inputSchema: object() }] : []),
];

function build(): Server {
  const server = new Server({ name: 'sample', version: '1.0.0' }, { capabilities: { tools: { listChanged: true } } });
  server.setRequestHandler('tools/list', () => ({ tools: tools() }));
  server.setRequestHandler('tools/call', async ({ params }, ctx) => {
    if (params.name === 'steps') {
      const progressToken = ctx.mcpReq._meta?.progressToken;
      for (const progress of [1, 2]) {
        if (progressToken !== undefined) await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress } });
      }
      // The SDK's client drops progress that arrives in one chunk with the answer.
      await sleep(50);
      return say('done');
    }
    if (params.name === 'ask') {
      const answer = acceptedContent<{ name: string }>(ctx.mcpReq.inputResponses, 'who');
      if (answer !== undefined) return say(`hello ${answer.name}`);
      const requestedSchema = { type: 'object' as const, properties: { name: { type: 'string' as const } }, required: ['name'] };
      return inputRequired({ inputRequests: { who: inputRequired.elicit({ message: 'Who?', requestedSchema }) } });
    }
    if (params.name === 'change') {
      extra = true;
      modern.notify.toolsChanged();
      for (const session of sessions.values()) await session.server.sendToolListChanged();
      return say('changed');
    }
    return say(`${process.pid} ${JSON.stringify(params.arguments ?? {})}`);
  });
  return server;
}

const modern = createMcpHandler(() => build());
const serveModern = toNodeHandler(modern);

function refuse(response: ServerResponse, status: number, code: number, message: string): void {
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ jsonrpc: '2.0', error: { code, message }, id: null }));
}

async function serveSession(request: IncomingMessage, response: ServerResponse, body: unknown): Promise<void> {
  const id = request.headers['mcp-session-id'];
  const session = typeof id === 'string' ? sessions.get(id) : undefined;
  if (session !== undefined) return session.transport.handleRequest(request, response, body);
  if (id !== undefined) return refuse(response, 404, -32001, 'Session not found');
  if (!isInitializeRequest(body)) return refuse(response, 400, -32000, 'Mcp-Session-Id is missing');
  const server = build();
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (sessionId) => void sessions.set(sessionId, { transport, server }),
    onsessionclosed: (sessionId) => void sessions.delete(sessionId),
  });
  await server.connect(transport);
  return transport.handleRequest(request, response, body);
}

const listener = http.createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body: unknown = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : undefined;
  if (key !== undefined && request.headers.authorization !== `Bearer ${key}`) return refuse(response, 401, -32001, 'Unauthorized');
  const { kind } = classifyInboundRequest({
    httpMethod: request.method ?? 'GET',
    protocolVersionHeader: request.headers['mcp-protocol-version'] as string | undefined,
    mcpMethodHeader: request.headers['mcp-method'] as string | undefined,
    body,
  });
  await (kind === 'legacy' ? serveSession(request, response, body) : serveModern(request, response, body));
});
listener.listen(Number(port), '127.0.0.1', () => console.log(`ready ${(listener.address() as AddressInfo).port}`));
