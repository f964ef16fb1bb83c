import { Agent, type ClientRequest, type IncomingHttpHeaders, request } from 'node:http';

/** Connections to a hub that are used again, as those of real clients are. */
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

export interface Asking {
  /** The name of the model, as the caller has it. */
  readonly model: string;
  readonly text?: string;
  readonly door?: 'chat' | 'responses' | 'messages';
  readonly stream?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further fields of the body. */
  readonly more?: object;
  /** What stands before `/v1`: `/apis/NAME`. */
  readonly api?: string;
  /** Told of all that has come, piece by piece. */
  readonly onText?: (text: string, sent: ClientRequest) => void;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The connection broke before HTTP says the body has ended. */
  readonly broken: boolean;
  /** Parsed JSON; undefined for a stream. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into what they know
  readonly body: any;
  /** Milliseconds from the question to the end of the answer. */
  readonly ms: number;
  /** The id of the request. */
  readonly id: string;
}

const PATHS = { chat: '/v1/chat/completions', responses: '/v1/responses', messages: '/v1/messages' };

/** Asks a hub for a model, as a client without a will of its own: once, and whatever comes is told. Rejects where no answer comes at all. */
export function ask(base: string, asking: Asking): Promise<Answer> {
  const { door = 'chat', stream = false, headers = {}, api = '' } = asking;
  const own = { 'content-type': 'application/json', ...(door === 'messages' && { 'anthropic-version': '2023-06-01' }), ...headers };
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(`${base}${api}${PATHS[door]}`, { agent, method: 'POST', headers: own }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
        asking.onText?.(text, sent);
      });
      const end = (broken: boolean): void => {
        const isJson = !broken && /json/.test(answer.headers['content-type'] ?? '');
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          text,
          broken,
          body: isJson ? JSON.parse(text) : undefined,
          ms: performance.now() - began,
          id: String(answer.headers['x-request-id']),
        });
      };
      answer.once('end', () => end(false));
      answer.once('error', () => end(true));
    });
    sent.once('error', reject);
    sent.end(JSON.stringify({ model: asking.model, ...bodyOf(door, asking.text ?? 'hello'), ...(stream && { stream }), ...asking.more }));
  });
}

function bodyOf(door: 'chat' | 'responses' | 'messages', text: string): object {
  const messages = [{ role: 'user', content: text }];
  if (door === 'responses') return { input: messages, store: false };
  return door === 'messages' ? { messages, max_tokens: 1024 } : { messages };
}
