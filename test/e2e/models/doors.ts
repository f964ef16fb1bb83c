import { type Agent, request } from 'node:http';

export const DOORS = ['chat', 'responses', 'messages'] as const;
export type Door = (typeof DOORS)[number];

const PATH: Readonly<Record<Door, string>> = { chat: '/v1/chat/completions', responses: '/v1/responses', messages: '/v1/messages' };
/** What completes an answer: a client may take it for whole from here on. */
const COMPLETE: Readonly<Record<Door, RegExp>> = {
  chat: /^data: ?\[DONE\]\r?\n/m,
  responses: /^event: ?response\.(?:completed|incomplete)\r?\ndata: .*\r?\n\r?\n/m,
  messages: /^event: ?message_stop\r?\ndata: .*\r?\n\r?\n/m,
};
const ERROR: Readonly<Record<Door, RegExp>> = {
  chat: /^data: ?\{"error"/m,
  responses: /^event: ?(?:error|response\.failed)/m,
  messages: /^event: ?error/m,
};

/** A streamed answer as its bytes came. */
export interface Streamed {
  readonly status: number;
  readonly text: string;
  /** The connection broke before HTTP says the body has ended. */
  readonly broken: boolean;
}

/** Asks a door for a streamed answer, and reads it to its end. Rejects when the connection breaks before an answer. */
export function askStream(base: string, door: Door, model: string, agent: Agent): Promise<Streamed> {
  return new Promise((resolve, reject) => {
    const sent = request(`${base}${PATH[door]}`, { agent, method: 'POST', headers: HEADERS }, (answer) => {
      const pieces: Buffer[] = [];
      const end = (broken: boolean): void => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(pieces).toString(), broken });
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.once('end', () => end(false));
      answer.once('error', () => end(true));
    });
    sent.once('error', reject);
    sent.end(JSON.stringify(body(door, model)));
  });
}

const HEADERS = { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' };

/** Wants reasoning and usage, so that nothing of an answer is left out on the way. */
function body(door: Door, model: string): unknown {
  const asked = [{ role: 'user', content: 'hello' }];
  switch (door) {
    case 'chat':
      return { model, stream: true, stream_options: { include_usage: true }, messages: asked };
    case 'responses':
      return { model, stream: true, store: false, input: asked };
    case 'messages':
      return { model, stream: true, max_tokens: 2048, messages: asked };
  }
}

/** What a strict client makes of it: the whole answer, an error, or an end that says neither. */
export function verdict(door: Door, { status, text, broken }: Streamed): 'whole' | 'error' | 'silent end' {
  if (status >= 400) return 'error';
  if (COMPLETE[door].test(text)) return 'whole';
  return broken || ERROR[door].test(text) ? 'error' : 'silent end';
}
