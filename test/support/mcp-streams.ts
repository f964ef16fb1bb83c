import type { JsonObject } from '../../src/core/json.ts';
import { ACCEPT, type LegacySession, modernRequest } from './mcp-clients.ts';

type Headers = Readonly<Record<string, string>>;

/** A message as it came, with the time of its arrival (`performance.now()`). */
export interface Heard {
  readonly at: number;
  readonly message: JsonObject;
}

/** An event stream that stays open, read in the background. */
export interface McpStream {
  /** In the order of arrival. */
  readonly heard: readonly Heard[];
  /** How many comments came: what keeps an idle connection open. */
  readonly comments: number;
  /** Why it is not open any more; undefined as long as it is. */
  readonly ended: string | undefined;
  /** Resolves with what came after the first `from` messages, as soon as one of that method has come. Throws after `timeoutMs`. */
  next(method: string, from: number, timeoutMs?: number): Promise<Heard>;
  close(): void;
}

/** The GET stream of a session (2025-11-25). */
export function openSessionStream(url: string, { headers }: Pick<LegacySession, 'headers'>): Promise<McpStream> {
  return openStream(url, { method: 'GET', headers: { accept: 'text/event-stream', ...headers } });
}

/** A `subscriptions/listen` stream of 2026-07-28 for changes of lists; resolves when it is acknowledged. `meta` adds to the envelope. */
export async function openListen(url: string, headers: Headers = {}, meta: JsonObject = {}): Promise<McpStream> {
  const notifications = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
  const stream = await openModernStream(url, 'subscriptions/listen', { notifications }, headers, meta);
  await stream.next('notifications/subscriptions/acknowledged', 0);
  return stream;
}

/** Any request of 2026-07-28 whose answer is read while it comes. */
function openModernStream(url: string, method: string, params: JsonObject, headers: Headers, meta: JsonObject): Promise<McpStream> {
  const request = modernRequest(method, params, { headers, meta });
  return openStream(url, { method: 'POST', headers: { ...ACCEPT, ...request.headers }, body: JSON.stringify(request.body) });
}

/** Any request that is answered by an event stream. Throws when it is not. */
export async function openStream(url: string, request: RequestInit): Promise<McpStream> {
  const gone = new AbortController();
  const response = await fetch(url, { ...request, signal: gone.signal });
  const type = response.headers.get('content-type') ?? '';
  if (!type.startsWith('text/event-stream')) throw new Error(`no event stream but ${response.status} ${type}: ${await response.text()}`);
  const heard: Heard[] = [];
  const waiting = new Set<() => void>();
  let comments = 0;
  let ended: string | undefined;
  const take = (event: string): void => {
    const lines = event.split('\n');
    if (lines.some((line) => line.startsWith(':'))) comments++;
    const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5));
    if (data.length > 0) heard.push({ at: performance.now(), message: JSON.parse(data.join('\n')) as JsonObject });
  };
  const read = async (): Promise<void> => {
    let text = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const events = (text + chunk).split('\n\n');
      text = events.pop() ?? '';
      events.forEach(take);
      for (const wake of waiting) wake();
    }
  };
  const reading = read().then(
    () => (ended = 'ended in order'),
    (error: Error) => (ended = `broke: ${error.message}`),
  );
  void reading.then(() => waiting.forEach((wake) => wake()));
  return {
    heard,
    get comments() {
      return comments;
    },
    get ended() {
      return ended;
    },
    next: (method, from, timeoutMs = 5_000) =>
      new Promise((found, failed) => {
        const timer = setTimeout(() => settle(() => failed(new Error(`no ${method} within ${timeoutMs} ms`))), timeoutMs);
        const settle = (act: () => void): void => {
          clearTimeout(timer);
          waiting.delete(look);
          act();
        };
        const look = (): void => {
          const one = heard.slice(from).find(({ message }) => message['method'] === method);
          if (one !== undefined) settle(() => found(one));
          else if (ended !== undefined) settle(() => failed(new Error(`the stream ${ended} before ${method} came`)));
        };
        waiting.add(look);
        look();
      }),
    close: () => gone.abort(),
  };
}
