import { SourceError, UnreachableError, type ModelSource, type Opened, type Resume } from './model-source.ts';

const SILENCE_MS = 60_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MOST_REDIRECTS = 5;

export interface WebSourceOptions {
  /** Address of a file of the model. */
  readonly urlOf: (file: string, revision: string) => string;
  /** Empty where addresses have none. */
  readonly revision: string;
  /** For a person: the model's address without a file. */
  readonly shown: string;
  /** How long the head of an answer, and then each piece, may take. Default 60 s. */
  readonly silenceMs?: number;
}

/** What the answers on the way told: those of the address that was asked for know the file, those of a CDN only their own copy. */
interface Told {
  sha256?: string;
  gitBlob?: string;
  commit?: string;
  size?: number;
}

/**
 * Files at addresses, in the words of Hugging Face where they are spoken: `x-linked-etag` is the SHA-256 of a large file, the ETag of a small
 * one its git blob, `x-repo-commit` the state of the repository. It stands on the redirect, not on the answer of the CDN.
 */
export function webSource(options: WebSourceOptions): ModelSource {
  const { urlOf, revision, shown } = options;
  return {
    shown,
    open: (file, resume) => open(urlOf(file, revision), options, resume),
    ...(revision !== '' && { revision, at: (commit) => webSource({ ...options, revision: commit }) }),
  };
}

async function open(address: string, options: WebSourceOptions, resume?: Resume): Promise<Opened | undefined> {
  const told: Told = {};
  const first = new URL(address);
  let url = first;
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    const { answer, watch } = await ask(url, options, resume);
    const { status, headers } = answer;
    if (url.origin === first.origin) listen(told, headers);
    const location = headers.get('location');
    if (!REDIRECTS.has(status) || location === null) return read(url, answer, { told, watch, resume });
    watch.end();
    await answer.body?.cancel();
    url = follow(location, url);
  }
  throw new SourceError(`${first.host} redirects more than ${MOST_REDIRECTS} times.`, false);
}

async function ask(url: URL, { silenceMs = SILENCE_MS }: WebSourceOptions, resume?: Resume): Promise<{ answer: Response; watch: Watch }> {
  const watch = new Watch(silenceMs);
  const headers = {
    // Bytes as they are, or their number and a range of them would mean others.
    'accept-encoding': 'identity',
    'user-agent': 'hubgate',
    ...(resume !== undefined && { range: `bytes=${resume.from}-`, ...(resume.etag !== undefined && { 'if-range': resume.etag }) }),
  };
  try {
    return { answer: await fetch(url, { headers, redirect: 'manual', signal: watch.signal }), watch };
  } catch (error) {
    watch.end();
    throw broken(url.host, error, false);
  }
}

function read(
  url: URL,
  answer: Response,
  { told, watch, resume }: { told: Told; watch: Watch; resume: Resume | undefined },
): Opened | undefined {
  const { status, headers } = answer;
  const close = (): void => {
    watch.end();
    answer.body?.cancel().catch(() => {});
  };
  const refuse = (message: string, transient = false): never => {
    close();
    throw new SourceError(message, transient);
  };
  if (status === 404 || status === 410) return void close();
  if (status === 401 || status === 403) {
    return refuse(
      `${url.host} answers ${status}: it has no such model, or shows it only to those who log in. Look at the name. What needs a login is downloaded by other means, and then pulled from its folder.`,
    );
  }
  if (status === 429 || status >= 500) return refuse(`${url.host} answers ${status} now. Try again later.`, true);
  if (status !== 200 && status !== 206) return refuse(`${url.host} answers ${status}, which is no file.`);
  if (/^text\/html\b/i.test(headers.get('content-type') ?? ''))
    return refuse(
      `${url.host} answers with a web page where a file should be: a login, a block page of a proxy, or not the address of a mirror.`,
    );
  const [, from, whole] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? [];
  if (status === 206 && Number(from) !== resume?.from)
    return refuse(`${url.host} answers with another part of the file than was asked for.`);
  const length = headers.get('content-encoding') === null ? count(status === 206 ? whole : headers.get('content-length')) : undefined;
  const size = told.size ?? length;
  const etag = headers.get('etag');
  return {
    from: status === 206 ? (resume?.from ?? 0) : 0,
    ...(size !== undefined && { size }),
    ...(told.sha256 !== undefined && { sha256: told.sha256 }),
    ...(told.gitBlob !== undefined && { gitBlob: told.gitBlob }),
    ...(told.commit !== undefined && { commit: told.commit }),
    ...(etag !== null && etag.startsWith('"') && { etag }),
    body: pieces(url.host, answer, watch),
    close,
  };
}

function listen(told: Told, headers: Headers): void {
  const bare = (name: string): string => (headers.get(name) ?? '').replace(/^W\//, '').replaceAll('"', '').toLowerCase();
  const commit = bare('x-repo-commit');
  if (/^[0-9a-f]{40}$/.test(commit)) told.commit = commit;
  const linked = bare('x-linked-etag');
  if (/^[0-9a-f]{64}$/.test(linked)) told.sha256 = linked;
  const size = count(headers.get('x-linked-size'));
  if (size !== undefined) told.size = size;
  // Anybody's ETag may be 40 digits; where a commit is told, it is the git blob.
  const etag = linked || bare('etag');
  if (told.commit !== undefined && /^[0-9a-f]{40}$/.test(etag)) told.gitBlob = etag;
}

function follow(location: string, from: URL): URL {
  const url = URL.parse(location, from.href);
  const safe = url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && from.protocol === 'http:'));
  if (!safe) throw new SourceError(`${from.host} redirects to an address that is not followed, such as one without TLS.`, false);
  return url;
}

async function* pieces(host: string, answer: Response, watch: Watch): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of answer.body ?? []) {
      watch.heard();
      yield piece;
    }
  } catch (error) {
    throw broken(host, error, true);
  } finally {
    watch.end();
  }
}

function count(text: string | null | undefined): number | undefined {
  return text !== null && text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Calls off what is silent for too long. */
class Watch {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(silenceMs: number) {
    this.#timer = setTimeout(() => this.#controller.abort(new Error(`nothing came for ${silenceMs / 1000} s`)), silenceMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  heard(): void {
    this.#timer.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO/;

function broken(host: string, error: unknown, begun: boolean): SourceError {
  const cause = (error as Error).cause as NodeJS.ErrnoException | undefined;
  const { code = '', message } = cause ?? (error as NodeJS.ErrnoException);
  if (CERTIFICATE.test(code)) {
    return new UnreachableError(
      `The certificate of ${host} is not trusted (${code}). Where a proxy signs with its own, name its file in NODE_EXTRA_CA_CERTS.`,
      false,
      error,
    );
  }
  if (begun) return new UnreachableError(`${host} broke off: ${code || message}.`, true, error);
  return new UnreachableError(`${host} cannot be reached: ${code || message}.`, code !== 'ENOTFOUND' && code !== 'ECONNREFUSED', error);
}
