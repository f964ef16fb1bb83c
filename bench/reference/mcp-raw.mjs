// A copy of targets/mcp-raw.mjs of the bench kit, laid out as this repository is, with undici under another name to keep the kit's version:
// what the hub is compared with must not move when the hub does.
// The floor in Node: JSON-RPC by hand over node:http, both protocol styles, no SDK, no validation.
import http from 'node:http';
import { randomUUID } from 'node:crypto';
import { Pool } from 'undici-reference';
const PORT = +process.env.PORT || 9201,
  UP = process.env.UPSTREAM || 'http://127.0.0.1:9100',
  REST = !!process.env.REST;
const pool = new Pool(UP, { connections: 4096, pipelining: 1 }),
  sessions = new Set();
const PET = '{"id":7,"name":"Rex","tag":"dog","photoUrls":["https://example.test/p/7.png"],"status":"available"}';
const TOOLS = [
  {
    name: 'getPet',
    description: 'Returns one pet by its id.',
    inputSchema: { type: 'object', properties: { petId: { type: 'integer' } }, required: ['petId'] },
  },
];
async function call(name, args) {
  if (name !== 'getPet') return { content: [{ type: 'text', text: 'no such tool' }], isError: true };
  if (!REST) return { content: [{ type: 'text', text: PET }] };
  const r = await pool.request({ path: '/pets/' + encodeURIComponent(args.petId), method: 'GET' });
  return { content: [{ type: 'text', text: await r.body.text() }], isError: r.statusCode >= 400 };
}
http
  .createServer({ keepAliveTimeout: 60000 }, (req, res) => {
    const parts = [];
    req
      .on('data', (d) => parts.push(d))
      .on('end', async () => {
        const out = (code, obj, h) => {
          const b = obj === undefined ? '' : JSON.stringify(obj);
          res.writeHead(code, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(b), ...h });
          res.end(b);
        };
        if (req.method !== 'POST') return out(405);
        const m = JSON.parse(Buffer.concat(parts).toString()),
          modern = req.headers['mcp-protocol-version'] === '2026-07-28';
        if (m.method === 'initialize') {
          const sid = randomUUID();
          sessions.add(sid);
          return out(
            200,
            {
              jsonrpc: '2.0',
              id: m.id,
              result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'raw', version: '1.0.0' } },
            },
            { 'mcp-session-id': sid },
          );
        }
        if (m.id === undefined) return out(202);
        if (!modern && !sessions.has(req.headers['mcp-session-id']))
          return out(404, { jsonrpc: '2.0', id: m.id, error: { code: -32001, message: 'no session' } });
        const result =
          m.method === 'tools/call' ? await call(m.params.name, m.params.arguments) : m.method === 'tools/list' ? { tools: TOOLS } : {};
        if (modern) result.resultType = 'complete';
        out(200, { jsonrpc: '2.0', id: m.id, result });
      });
  })
  .listen(PORT, '127.0.0.1');
