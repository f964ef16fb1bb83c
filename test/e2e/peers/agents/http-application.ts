import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface HttpApplication {
  readonly url: string;
  close(): void;
}

/** The key that it wants. */
export const APPLICATION_KEY = 'application-key-of-the-test';
const TICK_MS = 120;

interface Answer {
  readonly state: string;
  readonly text?: string;
  readonly problem?: string;
  readonly note?: string;
}

interface Job {
  /** How it stands at any moment. */
  now(): Answer;
  cancel(): void;
}

/**
 * An application that has never heard of A2A and does the same as the fixture agent, by the text it is sent.
 * - `POST /chat {text}`: JSON, or server-sent events for "long N" and "burst N"
 * - `POST /jobs {text}`, `GET /jobs/ID`, `DELETE /jobs/ID`: a job that is asked about
 */
export async function startHttpApplication(): Promise<HttpApplication> {
  const jobs = new Map<string, Job>();
  const server = createServer((req, res) => {
    answer(req, res, jobs).catch(() => res.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(req: IncomingMessage, res: ServerResponse, jobs: Map<string, Job>): Promise<void> {
  if (req.headers['x-key'] !== APPLICATION_KEY) return json(res, 401, { problem: 'no key' });
  let body = '';
  for await (const chunk of req) body += chunk;
  const { text = '' } = (body === '' ? {} : JSON.parse(body)) as { text?: string };
  const [, , place, id = ''] = (req.url ?? '').split('/');
  if (place === 'chat') return await chat(res, text);
  if (req.method === 'POST') {
    const made = `job-${jobs.size + 1}`;
    jobs.set(made, begin(text));
    return json(res, 202, { id: made, ...jobs.get(made)!.now() });
  }
  const job = jobs.get(id);
  if (job === undefined) return json(res, 404, { problem: 'no such job' });
  if (req.method === 'DELETE') job.cancel();
  return json(res, 200, { id, ...job.now() });
}

async function chat(res: ServerResponse, text: string): Promise<void> {
  const { kind, chunks } = piecesOf(text);
  if (kind === undefined) return json(res, 200, atOnce(text));
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const chunk of chunks) {
    if (kind === 'long') await sleep(TICK_MS);
    if (res.destroyed) return;
    res.write(`data: ${JSON.stringify({ type: 'delta', text: chunk })}\n\n`);
  }
  res.end(`data: ${JSON.stringify({ type: 'done' })}\n\n`);
}

function begin(text: string): Job {
  const { kind, chunks } = piecesOf(text);
  if (kind === undefined) return { now: () => atOnce(text), cancel: () => undefined };
  const began = Date.now();
  let canceled = false;
  return {
    now() {
      if (canceled) return { state: 'canceled', note: 'Canceled as asked' };
      const done = kind === 'burst' ? chunks.length : Math.floor((Date.now() - began) / TICK_MS);
      if (done < chunks.length) return { state: 'running', note: `${done} of ${chunks.length}` };
      return { state: 'done', text: chunks.join('') };
    },
    cancel: () => (canceled = true),
  };
}

function piecesOf(text: string): { readonly kind: string | undefined; readonly chunks: readonly string[] } {
  const [, kind, count] = /^(long|burst) (\d+)$/.exec(text) ?? [];
  return { kind, chunks: Array.from({ length: Number(count ?? 0) }, (_, i) => `chunk ${i + 1} of ${count}\n`) };
}

function atOnce(text: string): Answer {
  if (text === 'input') return { state: 'question', note: 'More, please' };
  if (text === 'fail') return { state: 'broken', problem: 'Failed as asked' };
  if (text === 'reject') return { state: 'refused', note: 'Rejected as asked' };
  if (text === 'message') return { state: 'aside', text: 'Direct message response' };
  return { state: 'done', text: `You said: ${text}` };
}

function json(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Its entries below `agents` of the configuration, by how they get their answers. */
export function applicationAgents({ url }: HttpApplication): Record<'app-streamed' | 'app-polled', unknown> {
  const response = {
    text: 'text',
    note: 'note',
    error: 'problem',
    state: 'state',
    states: {
      completed: ['done'],
      failed: ['broken'],
      rejected: ['refused'],
      canceled: ['canceled'],
      input: ['question'],
      message: ['aside'],
    },
  };
  const auth = { header: { 'X-Key': '${env:APPLICATION_KEY}' } };
  return {
    'app-streamed': {
      description: 'Answers piece by piece',
      auth,
      rest: {
        url,
        request: { path: '/chat', body: { text: '${text}' } },
        response,
        stream: { type: 'type', texts: ['delta'], text: 'text', end: ['done'] },
      },
    },
    'app-polled': {
      description: 'Works on jobs',
      auth,
      rest: {
        url,
        request: { path: '/jobs', body: { text: '${text}' } },
        response: { ...response, job: 'id' },
        poll: { request: { path: '/jobs/${job}' }, interval: '60ms' },
        cancel: { method: 'DELETE', path: '/jobs/${job}' },
      },
    },
  };
}
