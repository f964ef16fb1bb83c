import type { Message } from './example-prompt.ts';
import { CommandError } from './settings.ts';

/** Milliseconds that a model may take for one answer. */
const PATIENCE_MS = 120_000;
/** With these no other request would end better: key, permission, or name of the model. */
const HOPELESS = new Set([401, 403, 404]);

export interface ModelAddress {
  /** Of the hub. */
  readonly url: string;
  readonly model: string;
  readonly key: string | undefined;
}

/** Asks a model of the hub and gives its text. Throws CommandError for what will not be otherwise the next time, Error for what may be. */
export async function askModel({ url, model, key }: ModelAddress, messages: readonly Message[]): Promise<string> {
  const answer = await send(`${url.replace(/\/+$/, '')}/v1/chat/completions`, key, { model, messages, stream: false });
  const body = (await answer.json().catch(() => undefined)) as Answer | undefined;
  if (!answer.ok) {
    const message = body?.error?.message ?? `The hub answered ${answer.status}.`;
    if (answer.status === 401)
      throw new CommandError(
        `${message} The key of a consumer who may use the model belongs into HUBGATE_KEY; "hubgate keys create CONSUMER" makes one.`,
      );
    throw HOPELESS.has(answer.status) ? new CommandError(message) : new Error(message);
  }
  const text = body?.choices?.[0]?.message?.content;
  if (typeof text !== 'string' || text === '') throw new Error('The model answered without a text.');
  return text;
}

interface Answer {
  readonly choices?: readonly { readonly message?: { readonly content?: unknown } }[];
  readonly error?: { readonly message?: string };
}

async function send(url: string, key: string | undefined, body: object): Promise<Response> {
  const credential: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const headers = { 'content-type': 'application/json', ...credential };
  try {
    return await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch (error) {
    const { name, message, cause } = error as Error & { cause?: NodeJS.ErrnoException };
    if (name === 'TimeoutError') throw new Error(`The model did not answer within ${PATIENCE_MS / 1000} s.`, { cause: error });
    throw new CommandError(`${url} cannot be reached (${cause?.code ?? message}). Is the hub running there? HUBGATE_URL names another.`);
  }
}
