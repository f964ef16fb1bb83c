// What stands behind everything that is measured, on bare sockets so that it costs little of its core: a REST service (GET /pets/ID) and a
// model (POST /v1/chat/completions, also as a stream, and POST /v1/messages), and an A2A agent (POST /a2a). What it answers is what the mock of the bench kit answers.
// One request at a time on a connection, a body with a length.
import net from 'node:net';
import { startStream, wholeChat, wholeMessage } from './upstream-model.mjs';

const CARD = JSON.stringify({
  name: 'Mock agent',
  description: 'Says hello.',
  version: '1.0.0',
  supportedInterfaces: [{ url: `http://127.0.0.1:${process.env.PORT}/a2a`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
  capabilities: {},
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills: [{ id: 'say', name: 'Say', description: 'Says hello.', tags: ['mock'] }],
});

/** A message in A2A 1.0. */
const wholeAgentMessage = (id) =>
  `{"jsonrpc":"2.0","id":${id},"result":{"message":{"messageId":"m-1","role":"ROLE_AGENT","parts":[{"text":"hello from the mock agent"}],"contextId":"c-1"}}}`;

const HEAD_END = Buffer.from('\r\n\r\n');

/** Answers one request; gives what ends a stream that runs. */
function answer(socket, requestLine, body) {
  if (requestLine.startsWith('POST /v1/chat/completions ')) {
    const request = JSON.parse(body);
    if (request.stream === true) return startStream(socket, request);
    return send(socket, '200 OK', wholeChat(request.model));
  }
  if (requestLine.startsWith('POST /v1/messages ')) return send(socket, '200 OK', wholeMessage(JSON.parse(body).model));
  if (requestLine.startsWith('POST /a2a ')) return send(socket, '200 OK', wholeAgentMessage(JSON.parse(body).id));
  if (requestLine.startsWith('GET /.well-known/agent-card.json ')) return send(socket, '200 OK', CARD);
  const id = /^GET \/pets\/(\d{1,18}) /.exec(requestLine)?.[1];
  if (id === undefined) return send(socket, '404 Not Found', '{}');
  const pet = `{"id":${id},"name":"Rex","tag":"dog","photoUrls":["https://example.test/p/7.png"],"status":"available"}`;
  return send(socket, '200 OK', pet);
}

/** All texts are ASCII, so that characters are bytes. */
function send(socket, status, json) {
  socket.write(`HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n${json}`, 'latin1');
}

const server = net.createServer({ noDelay: true }, (socket) => {
  let held;
  let stop;
  socket.on('error', () => socket.destroy());
  socket.on('close', () => stop?.());
  socket.on('data', (chunk) => {
    const bytes = held === undefined ? chunk : Buffer.concat([held, chunk]);
    held = bytes;
    const headLength = bytes.indexOf(HEAD_END);
    if (headLength < 0) return;
    const head = bytes.latin1Slice(0, headLength);
    const start = headLength + HEAD_END.length;
    const length = Number(/\r\ncontent-length:[ \t]*(\d+)/i.exec(head)?.[1] ?? 0);
    if (bytes.length < start + length) return;
    held = undefined;
    stop = answer(socket, head, bytes.latin1Slice(start, start + length));
  });
});
server.listen(Number(process.env.PORT), '127.0.0.1');
