import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cut } from './cuts.ts';
import type { Format } from './transcripts.ts';

/** Lets the other side read what came before the connection breaks. */
const SETTLE_MS = 3;

export interface RawServer {
  readonly url: string;
  close(): Promise<void>;
}

/** What the server does with one request. `end` is how the body ends; its pieces are written one by one. */
export type Answer = Pick<Cut, 'head' | 'closing'> & { readonly pieces: readonly Buffer[] };

/** A vendor on a bare socket: `answer` is asked with the format that the path speaks and the model. The connection ends as it says. */
export async function startCutServer(answer: (format: Format, model: string) => Answer): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.setNoDelay(true);
    serve(socket, answer);
  }).listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const close = (): Promise<void> =>
    new Promise((closed) => {
      server.close(() => closed());
      for (const socket of sockets) socket.destroy();
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

function serve(socket: Socket, answer: (format: Format, model: string) => Answer): void {
  let received: Buffer = Buffer.alloc(0);
  socket.on('data', (data) => {
    received = Buffer.concat([received, data]);
    const request = whole(received);
    if (request === undefined) return;
    received = received.subarray(request.length);
    const { path, body } = request;
    const format = formatOf(path);
    void reply(socket, format, answer(format, modelOf(path, body)));
  });
}

function whole(received: Buffer): { path: string; body: string; length: number } | undefined {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = received.subarray(0, headEnd).toString();
  const length = headEnd + 4 + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  if (received.length < length) return undefined;
  return { path: head.split(' ')[1] ?? '', body: received.subarray(headEnd + 4, length).toString(), length };
}

const PATHS: readonly (readonly [RegExp, Format])[] = [
  [/\/chat\/completions/, 'openai-chat'],
  [/\/responses/, 'openai-responses'],
  [/\/messages/, 'anthropic-messages'],
  [/:streamGenerateContent/, 'gemini'],
  [/\/converse-stream/, 'bedrock-converse'],
];

function formatOf(path: string): Format {
  const format = PATHS.find(([pattern]) => pattern.test(path))?.[1];
  if (format === undefined) throw new Error(`no streamed answer at ${path}`);
  return format;
}

function modelOf(path: string, body: string): string {
  const inPath = /\/models?\/([^/:]+)/.exec(path)?.[1];
  return inPath === undefined ? String((JSON.parse(body) as { model?: unknown }).model) : decodeURIComponent(inPath);
}

async function reply(socket: Socket, format: Format, { head, closing, pieces }: Answer): Promise<void> {
  const type = format === 'bedrock-converse' ? 'application/vnd.amazon.eventstream' : 'text/event-stream; charset=utf-8';
  const chunked = closing !== 'end without length';
  const lines = `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\n${chunked ? 'transfer-encoding: chunked' : 'connection: close'}\r\n\r\n`;
  if (head !== 'none') socket.write(head === 'half' ? lines.slice(0, 40) : lines);
  for (const piece of pieces) {
    if (piece.length === 0) continue;
    socket.write(chunked ? Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]) : piece);
    await new Promise(setImmediate);
  }
  if (closing === 'chunked end') return void socket.write('0\r\n\r\n');
  await sleep(SETTLE_MS);
  if (closing === 'reset') socket.resetAndDestroy();
  else socket.end();
}
