// A copy of targets/mcp-sdk2.mjs of the bench kit, laid out as this repository is, with undici under another name to keep the kit's version:
// what the hub is compared with must not move when the hub does.
// SDK v2 server. Default: createMcpHandler (2026-07-28, with the stateless 2025 fallback), McpServer per request as the
// SDK prescribes. LOW=1: the low-level Server. SESSION=1: a 2025 session transport per session. JSONRES=1: JSON answers.
import http from 'node:http';
import { randomUUID } from 'node:crypto';
import { McpServer, Server, createMcpHandler } from '@modelcontextprotocol/server';
import { toNodeHandler, NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import * as z from 'zod';
import { Pool } from 'undici-reference';
const PORT = +process.env.PORT || 9201,
  UP = process.env.UPSTREAM || 'http://127.0.0.1:9100',
  REST = !!process.env.REST;
const pool = new Pool(UP, { connections: 4096, pipelining: 1 });
const PET = '{"id":7,"name":"Rex","tag":"dog","photoUrls":["https://example.test/p/7.png"],"status":"available"}';
const schema = z.object({ petId: z.number().int() });
async function run({ petId }) {
  if (!REST) return { content: [{ type: 'text', text: PET }] };
  const r = await pool.request({ path: '/pets/' + petId, method: 'GET' });
  return { content: [{ type: 'text', text: await r.body.text() }] };
}
const TOOLS = [
  {
    name: 'getPet',
    description: 'Returns one pet by its id.',
    inputSchema: { type: 'object', properties: { petId: { type: 'integer' } }, required: ['petId'] },
  },
];
function make() {
  if (process.env.LOW) {
    const s = new Server({ name: 'sdk2', version: '1.0.0' }, { capabilities: { tools: {} } });
    s.setRequestHandler('tools/list', () => ({ tools: TOOLS }));
    s.setRequestHandler('tools/call', (r) => run(r.params.arguments));
    return s;
  }
  const s = new McpServer({ name: 'sdk2', version: '1.0.0' });
  s.registerTool('getPet', { description: 'Returns one pet by its id.', inputSchema: schema }, run);
  return s;
}
let handler;
if (process.env.SESSION) {
  const T = new Map();
  handler = async (req, res) => {
    const sid = req.headers['mcp-session-id'];
    let t = sid && T.get(sid);
    if (!t) {
      t = new NodeStreamableHTTPServerTransport({
        sessionIdGenerator: () => randomUUID(),
        enableJsonResponse: !!process.env.JSONRES,
        onsessioninitialized: (id) => {
          T.set(id, t);
        },
      });
      await make().connect(t);
    }
    await t.handleRequest(req, res);
  };
} else handler = toNodeHandler(createMcpHandler(make));
http.createServer({ keepAliveTimeout: 60000 }, handler).listen(PORT, '127.0.0.1');
