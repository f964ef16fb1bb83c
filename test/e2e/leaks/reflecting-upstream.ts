import type { ServerResponse } from 'node:http';
import { sendJson, startEchoServer, type EchoServer, type RecordedRequest } from '../../support/echo-server.ts';

/** What the upstream does with what it got: one per way in which an API may tell it to its caller. */
export const MODES = [
  'ok-200',
  'okText-200',
  'json-400',
  'problem-422',
  'errors-400',
  'nested-500',
  'text-401',
  'html-503',
  'base64-400',
  'cutDetail-400',
  'cutLine-400',
  'cutHeader-429',
  'redirect-302',
  'cutRedirect-307',
  'reset-0',
  'garbage-0',
] as const;

/** An API that tells its caller all it was told, at `/probe/MODE-STATUS`, and a token endpoint at `/token` whose first token is refused. */
export function startReflectingUpstream(tokens: readonly string[]): Promise<EchoServer> {
  let asked = 0;
  return startEchoServer((request, response) => {
    if (request.path.startsWith('/token')) {
      const token = tokens[Math.min(asked++, tokens.length - 1)];
      return sendJson(response, 200, { access_token: token, token_type: 'Bearer', expires_in: 3600 });
    }
    if (request.headers.authorization === `Bearer ${tokens[0]}`) return sendJson(response, 401, { error: 'expired', was: request.headers });
    return reflect(request, response);
  });
}

function reflect(request: RecordedRequest, response: ServerResponse): void {
  const [, mode = 'json', code = '400'] = /^\/\w+\/([a-zA-Z]+)-(\d+)/.exec(request.path) ?? [];
  const status = Number(code);
  const { path, headers, body } = request;
  const told = { path, headers, body: body.toString() };
  const credential = [headers.authorization, headers['x-probe-key'], path].filter(Boolean).join(' ');
  /** Puts the credential across the place where something of `length` is cut. */
  const across = (length: number): string => `${'x'.repeat(Math.max(0, length - 20 - credential.indexOf('cnry')))}${credential}`;
  const text = (type: string, value: string): void => void response.writeHead(status, { 'content-type': type }).end(value);
  const json = (value: unknown): void => sendJson(response, status, value);

  if (mode === 'okText') return text('text/plain', `${credential}\n${told.body}`);
  if (mode === 'problem')
    return json({
      title: path,
      detail: JSON.stringify(headers),
      errors: Object.entries(headers).map(([field, message]) => ({ field, message })),
    });
  if (mode === 'errors') return json({ errors: told });
  if (mode === 'nested') return json({ error: { message: JSON.stringify({ upstream: JSON.stringify(told) }) } });
  if (mode === 'text') return text('text/plain', JSON.stringify(told));
  if (mode === 'html')
    return text('text/html', `<html><title>${escapeHtml(credential)}</title><pre>${escapeHtml(JSON.stringify(told))}</pre></html>`);
  if (mode === 'base64')
    return json({
      message: Buffer.from(`was: ${credential}`).toString('base64'),
      detail: Buffer.from(JSON.stringify(told)).toString('base64url'),
    });
  if (mode === 'cutDetail') return json({ message: across(1500) });
  if (mode === 'cutLine') return json({ errors: [across(300), { field: 'x', message: across(297) }] });
  if (mode === 'cutHeader') return void response.writeHead(status, { 'x-request-id': across(200), 'retry-after': across(60) }).end();
  if (mode === 'redirect') return void response.writeHead(status, { location: `http://elsewhere.example${path}` }).end();
  if (mode === 'cutRedirect') return void response.writeHead(status, { location: `/${across(2000)}` }).end();
  if (mode === 'reset') return void response.destroy();
  if (mode === 'garbage') return void response.socket?.end(`NOT HTTP ${credential}\r\n\r\n`);
  return json(told);
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
