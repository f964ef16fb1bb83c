import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import type { FieldError } from './problem.ts';

/** Milliseconds that an answer may take; reading a large document takes long. */
const TIMEOUT_MS = 120_000;

/** An answer of the admin API that is none of success. */
export class AdminProblem extends Error {
  readonly status: number;
  readonly errors: readonly FieldError[];
  /** The whole answer; an import has its report in it. */
  readonly body: unknown;

  constructor(status: number, body: unknown) {
    const { detail, errors } = (typeof body === 'object' && body !== null ? body : {}) as {
      detail?: string;
      errors?: readonly FieldError[];
    };
    super(detail ?? `The hub answered ${status}.`);
    this.name = 'AdminProblem';
    this.status = status;
    this.errors = errors ?? [];
    this.body = body;
  }
}

/** Asks the admin API one thing; resolves with the body, undefined when there is none. Throws AdminProblem. */
export type AskAdmin = (
  method: string,
  path: string,
  options?: { readonly query?: Readonly<Record<string, string | undefined>>; readonly body?: unknown },
) => Promise<unknown>;

/** The path of a question, with `/admin/v1` and its query. */
export function adminPath(path: string, query: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return `/admin/v1${path}${given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`}`;
}

/** A client of the admin API of the hub at `url`, such as `http://127.0.0.1:8701`. What the socket throws is thrown as it is. */
export function createAdminClient({ url, token }: { readonly url: string; readonly token: string }): AskAdmin {
  return async (method, path, { query, body } = {}) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${token}`,
      ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    };
    const sent = request(new URL(adminPath(path, query), url), { method, headers, agent: false, timeout: TIMEOUT_MS });
    sent.on('timeout', () => sent.destroy(new Error(`The hub at ${url} did not answer within ${TIMEOUT_MS / 1000} s.`)));
    sent.end(text);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    return readAnswer(answer.statusCode ?? 0, await readText(answer));
  };
}

/** The body of a success. Throws AdminProblem for all else, and for what is not JSON. */
export function readAnswer(status: number, text: string): unknown {
  let body: unknown;
  try {
    body = text === '' ? undefined : JSON.parse(text);
  } catch {
    throw new AdminProblem(status, { detail: 'What answers there is not the admin API of a hub.' });
  }
  if (status < 200 || status > 299) throw new AdminProblem(status, body);
  return body;
}
