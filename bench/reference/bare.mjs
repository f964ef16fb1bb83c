// The floor in Node: a relay over node:http and undici's Pool.dispatch that looks at nothing. A copy of the `bare` of the bench kit
// (targets/proxy.mjs without features), with undici under another name to keep the kit's version: what the hub is compared with must not
// move when the hub does. The request is collected, a whole answer goes out in one end(), a stream as it comes.
import http from 'node:http';
import { Pool } from 'undici-reference';

const pool = new Pool(process.env.UPSTREAM, {
  connections: 4096,
  pipelining: 1,
  headersTimeout: 0,
  bodyTimeout: 0,
  keepAliveTimeout: 30_000,
});

/** The whole body, without a copy where it comes in one piece. */
function collect(req, done) {
  let first;
  let parts;
  req.on('data', (bytes) => {
    if (first === undefined) first = bytes;
    else (parts ??= [first]).push(bytes);
  });
  req.on('end', () => done(parts === undefined ? first : Buffer.concat(parts)));
}

function relay(req, res, body) {
  let controller;
  let head;
  let status;
  let held;
  let isStream = false;
  let isDone = false;
  res.on('close', () => {
    if (!isDone) controller?.abort(new Error('the client is gone'));
  });
  const headers = ['content-type', 'application/json', 'authorization', 'Bearer upstream-key', 'accept', req.headers.accept ?? '*/*'];
  pool.dispatch(
    { path: req.url, method: req.method, headers, body },
    {
      onRequestStart(started) {
        controller = started;
      },
      onResponseStart(_controller, code, fields) {
        status = code;
        head = fields;
        for (const name of ['connection', 'keep-alive', 'transfer-encoding', 'date']) delete head[name];
        isStream = (head['content-type'] ?? '').startsWith('text/event-stream');
        if (!isStream) return;
        res.writeHead(status, head);
        res.flushHeaders();
      },
      onResponseData(controller, bytes) {
        if (!isStream) held = held === undefined ? bytes : Buffer.concat([held, bytes]);
        else if (!res.write(bytes)) {
          controller.pause();
          res.once('drain', () => controller.resume());
        }
      },
      onResponseEnd() {
        isDone = true;
        if (isStream) return void res.end();
        head['content-length'] = held?.length ?? 0;
        res.writeHead(status, head);
        res.end(held);
      },
      onResponseError(_controller, error) {
        isDone = true;
        if (res.headersSent) return void res.destroy();
        const text = JSON.stringify({ error: { message: `upstream: ${error.message}`, type: 'invalid_request_error' } });
        res.writeHead(502, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
        res.end(text);
      },
    },
  );
}

http
  .createServer({ keepAliveTimeout: 60_000 }, (req, res) => collect(req, (body) => relay(req, res, body)))
  .listen(Number(process.env.PORT), '127.0.0.1');
