// The REST service behind everything that is measured: GET /pets/ID, on bare sockets so that it costs little of its core. What it
// answers is what the mock of the bench kit answers. One request at a time on a connection, none with a body.
import net from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');
const NOT_FOUND = 'HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}';

function answer(requestLine) {
  const id = /^GET \/pets\/(\d{1,18}) /.exec(requestLine)?.[1];
  if (id === undefined) return NOT_FOUND;
  const pet = `{"id":${id},"name":"Rex","tag":"dog","photoUrls":["https://example.test/p/7.png"],"status":"available"}`;
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${pet.length}\r\n\r\n${pet}`;
}

const server = net.createServer({ noDelay: true }, (socket) => {
  let held;
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    const bytes = held === undefined ? chunk : Buffer.concat([held, chunk]);
    held = undefined;
    if (bytes.indexOf(HEAD_END) < 0) held = bytes;
    else socket.write(answer(bytes.toString('latin1', 0, Math.min(bytes.length, 64))), 'latin1');
  });
});
server.listen(Number(process.env.PORT), '127.0.0.1');
