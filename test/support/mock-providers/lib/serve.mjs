// What all mocks share: reading requests, recording them, faults, and writing answers.
//
// A provider is { name, routes, authorize?, fail }:
//   routes     [method, RegExp, handler]; handler(request) returns { json } or { stream }
//   fail       (status, fault?, message?, code?) -> { status, headers, json } in the provider's own error shape
//   says       what it says about a prompt that is too long, an account without credit and content that it refuses:
//              { 'too-long' | 'no-credit' | 'refused': [status, message, code?] }
//   { stream } { type, frames, malformed, error, end? }: frames are written one by one; malformed and error
//              are what those mid-stream faults write
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Faults, splitModel } from './faults.mjs';

/** Thrown by handlers to answer with a provider-shaped error. */
export class Refusal extends Error {
  constructor(status, message, code) {
    super(message);
    Object.assign(this, { status, code });
  }
}

async function readJson(req) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const raw = Buffer.concat(chunks);
  return { raw, body: raw.length ? JSON.parse(raw.toString('utf8')) : {} };
}

const sendJson = (res, { status = 200, headers = {}, json }) => {
  const text = typeof json === 'string' ? json : JSON.stringify(json);
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers }).end(text);
};

const write = (res, frame) =>
  new Promise((done) => {
    if (res.destroyed || res.write(frame)) return done();
    const go = () => {
      res.off('drain', go).off('close', go);
      done();
    };
    res.on('drain', go).on('close', go);
  });

/** Each piece is an HTTP chunk of its own, so that no reader gets more than one at a time. */
async function writeSplit(res, frame, bytes) {
  const all = Buffer.from(frame);
  for (let at = 0; at < all.length && !res.destroyed; at += bytes) await write(res, all.subarray(at, at + bytes));
}

async function sendStream(res, { type, headers = {}, frames, malformed, error }, fault) {
  res.writeHead(200, { 'content-type': type, 'cache-control': 'no-cache', ...headers });
  res.flushHeaders();
  const kind = fault?.kind;
  const after = fault?.after ?? 3;
  if (kind === 'slow-first-token') await sleep(fault.ms ?? 3000);
  for (const [i, frame] of frames.entries()) {
    if (res.destroyed) return;
    if (i === after || (i === frames.length - 1 && after >= frames.length)) {
      if (kind === 'hang-midstream') return void (await sleep(fault.ms ?? 600_000, undefined, { ref: false }), res.destroy());
      if (kind === 'cut-midstream') return void res.destroy();
      if (kind === 'malformed-sse') await write(res, malformed);
      if (kind === 'error-midstream') return void (await write(res, error), res.end());
    }
    await (kind === 'split' ? writeSplit(res, frame, fault.bytes ?? 1) : write(res, frame));
    if (kind !== 'huge') await sleep(kind === 'slow' ? (fault.ms ?? 200) : 1);
  }
  res.end();
}

/** Starts one provider. Resolves to its handle; see README. */
export async function serve(provider, { port = 0, host = '127.0.0.1' } = {}) {
  const faults = new Faults();
  let requests = [];

  const control = async (req, res, path) => {
    if (path === '/_mock/requests') return sendJson(res, { json: requests.map(({ raw: _raw, ...r }) => r) });
    if (path === '/_mock/reset') return (handle.reset(), sendJson(res, { json: { ok: true } }));
    if (path === '/_mock/fault') return (handle.setFault((await readJson(req)).body.fault), sendJson(res, { json: { ok: true } }));
    return sendJson(res, { status: 404, json: { error: 'no such control' } });
  };

  const answer = async (req, res, url, record) => {
    const { raw, body } = await readJson(req).catch(() => {
      throw new Refusal(400, 'We could not parse the JSON body of your request.');
    });
    const request = { method: req.method, path: url.pathname, query: url.searchParams, headers: req.headers, body, raw, url: req.url };
    Object.assign(record, { body, raw });
    await provider.authorize?.(request);
    const route = provider.routes.find(([method, pattern]) => method === req.method && pattern.test(url.pathname));
    if (!route) throw new Refusal(404, `Unknown request URL: ${req.method} ${url.pathname}`, 'unknown_url');
    const params = route[1].exec(url.pathname).groups ?? {};
    const asked = params.model ? decodeURIComponent(params.model) : body.model;
    const fault = faults.next(asked, req.headers['x-mock-fault']);
    const { model } = splitModel(asked);
    Object.assign(record, { model, fault: fault?.spec });
    if (fault?.kind === 'status') {
      if (fault.ms) await sleep(fault.ms);
      return sendJson(res, provider.fail(fault.status, fault));
    }
    const said = provider.says?.[fault?.kind];
    if (said) return sendJson(res, provider.fail(said[0], fault, said[1], said[2]));
    if (fault?.kind === 'hang-headers') return void (await sleep(fault.ms ?? 600_000, undefined, { ref: false }), res.destroy());
    if (fault?.kind === 'cut-headers') return void res.destroy();
    if (/^(unknown|nope)/.test(model ?? '')) throw new Refusal(404, `The model '${model}' does not exist`, 'model_not_found');
    const reply = await route[2]({ ...request, params, model, fault });
    record.stream = !!reply.stream;
    if (reply.stream) return sendStream(res, reply.stream, fault);
    if (fault?.kind === 'slow-first-token') await sleep(fault.ms ?? 3000);
    if (fault?.kind === 'cut-midstream')
      return void (res.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 }).write('{"id":'),
      setTimeout(() => res.destroy(), 20));
    if (fault?.kind === 'bad-json') return sendJson(res, { json: '{"id": "broken", ' });
    return sendJson(res, reply);
  };

  const server = http.createServer(async (req, res) => {
    const url = new URL(req.url, 'http://mock');
    if (url.pathname.startsWith('/_mock/'))
      return control(req, res, url.pathname).catch((e) => sendJson(res, { status: 400, json: { error: e.message } }));
    const record = {
      method: req.method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: req.headers,
      finished: false,
      aborted: false,
      at: performance.now(),
    };
    requests.push(record);
    res.on('close', () => {
      record.finished = res.writableFinished;
      record.aborted = !res.writableFinished;
      record.closedAt = performance.now();
    });
    try {
      await answer(req, res, url, record);
    } catch (error) {
      if (res.headersSent) return res.destroy();
      if (!(error instanceof Refusal)) console.error(provider.name, error);
      const refused = provider.fail(error.status ?? 500, undefined, error.message, error.code);
      record.refused = error.message;
      sendJson(res, refused);
    }
  });
  await new Promise((done, fail) => server.once('error', fail).listen(port, host, done));

  const handle = {
    name: provider.name,
    port: server.address().port,
    url: `http://${host}:${server.address().port}`,
    get requests() {
      return requests;
    },
    reset() {
      requests = [];
      faults.set(undefined);
    },
    setFault(spec) {
      faults.set(spec);
    },
    close: () =>
      new Promise((done) => {
        server.close(done);
        server.closeAllConnections();
      }),
  };
  return handle;
}

export const sse = (data, event) =>
  `${event ? `event: ${event}\n` : ''}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;

/** Refuses fields the real API would refuse too. */
export function onlyFields(body, allowed, message = (field) => `Unrecognized request argument supplied: ${field}`) {
  const strange = Object.keys(body).find((field) => !allowed.has(field));
  if (strange) throw new Refusal(400, message(strange), 'unknown_parameter');
}
