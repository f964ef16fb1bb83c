import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';

export const COMMIT = 'c0ffee0000000000000000000000000000000000';

/** A model as its files: of the right shape, and with weights that nothing can load. */
export function tinyModel(more: Readonly<Record<string, string | Buffer>> = {}): Map<string, Buffer> {
  const files = {
    'config.json': JSON.stringify({ model_type: 'bert', hidden_size: 32 }),
    'tokenizer.json': JSON.stringify({ model: { vocab: {} } }),
    'tokenizer_config.json': '{}',
    'README.md': '---\nlicense: apache-2.0\n---\n# Tiny\n',
    'onnx/model_quantized.onnx': Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 31 + (at >> 8)) & 255)),
    ...more,
  };
  return new Map(Object.entries(files).map(([name, content]) => [name, Buffer.from(content)]));
}

export async function writeModel(folder: string, files: ReadonlyMap<string, Buffer>): Promise<string> {
  for (const [name, content] of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

export const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

/** One request as the mirror got it. */
export interface Asked {
  readonly path: string;
  readonly range?: string;
  readonly ifRange?: string;
}

export interface Mirror {
  /** Without a slash at its end. */
  readonly url: string;
  readonly asked: Asked[];
  files: Map<string, Buffer>;
  /** Answers a request in place of the mirror when it returns true; `file` is the name in the model. */
  fault: (file: string, request: IncomingMessage, response: ServerResponse) => boolean;
  /** Bytes of the weights after which each connection is cut, one for each answer. */
  readonly cuts: number[];
  close(): Promise<void>;
}

/**
 * Hugging Face as a client sees it: OWNER/NAME at OWNER/NAME/resolve/REVISION/FILE, weights behind a redirect to a CDN at another origin whose ETag
 * says nothing of the content. `plain` serves the files as they are, as any web server does, at the address itself.
 */
export async function startMirror(repo: string, files: Map<string, Buffer>, { plain = false } = {}): Promise<Mirror> {
  const asked: Asked[] = [];
  const cuts: number[] = [];
  const serve = (response: ServerResponse, request: IncomingMessage, file: string, etag: string): void => {
    const content = mirror.files.get(file);
    if (content === undefined) return void response.writeHead(404, { 'content-type': 'text/plain' }).end('Entry not found');
    const [, from = '0'] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
    const same = request.headers['if-range'] === undefined || request.headers['if-range'] === etag;
    const start = same ? Number(from) : 0;
    if (start > 0 && start >= content.length) return void response.writeHead(416).end();
    const part = content.subarray(start);
    const range = start > 0 ? { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` } : {};
    response.writeHead(start > 0 ? 206 : 200, {
      etag,
      'content-length': part.length,
      'content-type': 'application/octet-stream',
      ...range,
    });
    const cut = file.endsWith('.onnx') ? cuts.shift() : undefined;
    if (cut === undefined) return void response.end(part);
    response.write(part.subarray(0, cut), () => setTimeout(() => response.destroy(), 20));
  };
  const note = (request: IncomingMessage): void => {
    const { range, 'if-range': ifRange } = request.headers;
    asked.push({
      path: request.url ?? '',
      ...(range !== undefined && { range }),
      ...(ifRange !== undefined && { ifRange: String(ifRange) }),
    });
  };
  const listen = async (
    handler: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<{ server: Server; url: string }> => {
    const server = createServer((request, response) => {
      note(request);
      handler(request, response);
    }).listen(0, '127.0.0.1');
    await new Promise((ready) => server.once('listening', ready));
    return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  };
  const fileOf = (path: string): string | undefined => {
    if (plain) return path.slice(1);
    return new RegExp(`^/${repo}/resolve/(?:main|${COMMIT})/(.+)$`).exec(path)?.[1];
  };
  const cdn = await listen((request, response) => {
    const file = decodeURIComponent((request.url ?? '').slice('/blob/'.length));
    // As Xet has it: 64 digits that are no SHA-256 of the file.
    serve(response, request, file, `"${'0'.repeat(64)}"`);
  });
  const hub = await listen((request, response) => {
    const file = fileOf(request.url ?? '');
    if (file !== undefined && mirror.fault(file, request, response)) return;
    const content = file === undefined ? undefined : mirror.files.get(file);
    if (file === undefined || content === undefined)
      return void response.writeHead(404, { 'content-type': 'text/plain' }).end('Entry not found');
    if (plain) return serve(response, request, file, `"${sha256(content).slice(0, 12)}"`);
    response.setHeader('x-repo-commit', COMMIT);
    if (!file.endsWith('.onnx')) {
      const blob = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
      return serve(response, request, file, `"${blob}"`);
    }
    const told = { 'x-linked-etag': `"${sha256(content)}"`, 'x-linked-size': content.length };
    response.writeHead(302, { ...told, location: `${cdn.url}/blob/${encodeURIComponent(file)}` }).end('Found.');
  });
  const mirror: Mirror = {
    url: hub.url,
    asked,
    files,
    fault: () => false,
    cuts,
    async close() {
      for (const { server } of [hub, cdn]) {
        server.closeAllConnections();
        await new Promise((closed) => server.close(closed));
      }
    },
  };
  return mirror;
}
