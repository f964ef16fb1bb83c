import { hash } from 'node:crypto';
import type { AgentConfig } from '../../../config/types.ts';
import type { AgentSnapshot, SignatureState } from '../../../core/contracts/agent-source.ts';
import { decodeText } from '../../../core/decode-text.ts';
import { GatewayError } from '../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import type { Logger } from '../../../core/logger.ts';
import type { RequestSigner } from '../../../core/upstream.ts';
import { NoDocumentError, type FetchDocumentOptions, type FetchedDocument } from '../../../upstreams/document.ts';
import { readCard, type CardInterface, type ReadCard } from './read-card.ts';
import { verifyCard } from './signing.ts';

/** What the keeper asks for; the rest of the options is the host's, above all the trust. */
export type CardFetchOptions = Pick<FetchDocumentOptions, 'etag' | 'headers' | 'signers' | 'maxBytes' | 'signal'>;

export interface CardKeeperOptions {
  /** The agent, for the log. */
  readonly name: string;
  /** The card, or an address below which it is at its well-known path. */
  readonly url: string;
  readonly fetch: (url: string, options: CardFetchOptions) => Promise<FetchedDocument>;
  /** Credentials for the card; keys of signatures are asked for without. */
  readonly signers?: readonly RequestSigner[];
  readonly signatures?: AgentConfig['signatures'];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: Logger;
  readonly timers?: Pick<typeof globalThis, 'setTimeout' | 'clearTimeout'>;
}

/** Milliseconds for which a card is taken as fresh: without a word of the agent, and what its word is held between. */
const FRESH_MS = { unsaid: 300_000, least: 30_000, most: 3_600_000 };
/** Milliseconds before a card that could not be read is asked for again; doubled up to the second. */
const RETRY_MS = [5_000, 300_000] as const;
const LARGEST_CARD = 1_000_000;
const WELL_KNOWN = ['/.well-known/agent-card.json', '/.well-known/agent.json'];

/** Where a card is looked for, in this order: an address that ends in .json or has a query is the card itself, others may be. */
export function cardAddresses(url: string): readonly string[] {
  const { pathname, search } = URL.parse(url) ?? { pathname: '', search: '' };
  if (search !== '' || /\.json$/i.test(pathname)) return [url];
  const base = (url.split('#')[0] as string).replace(/\/$/, '');
  const below = WELL_KNOWN.map((path) => base + path);
  return pathname === '/' || url.startsWith('demo:') ? below : [...below, url];
}

/** Milliseconds until a card with this Cache-Control is asked for again. */
export function freshFor(cacheControl: string | undefined): number {
  const [, seconds] = /(?:^|[\s,])max-age="?(\d+)/i.exec(cacheControl ?? '') ?? [];
  if (/(?:^|[\s,])no-(?:cache|store)(?:$|[\s,=])/i.test(cacheControl ?? '')) return FRESH_MS.least;
  if (seconds === undefined) return FRESH_MS.unsaid;
  return Math.min(FRESH_MS.most, Math.max(FRESH_MS.least, Number(seconds) * 1000));
}

/**
 * The card of one upstream agent, kept fresh from the first `refresh` on: asked for again when it is no longer fresh (specification 1.0, 8.6), and after
 * failures. While the agent cannot be asked, or gives a card that cannot be taken, the last good one stays and `error` says why.
 */
export class CardKeeper {
  readonly #options: CardKeeperOptions;
  readonly #timers: NonNullable<CardKeeperOptions['timers']>;
  readonly #listeners = new Set<() => void>();
  readonly #closed = new AbortController();
  #snapshot: AgentSnapshot = { version: '', state: 'loading', card: undefined, signature: 'unsigned' };
  #interfaces: readonly CardInterface[] = [];
  #changedAt: number | undefined;
  /** Which of the addresses had the card, and the tag of it. */
  #found: { readonly address: string; readonly etag: string | undefined } | undefined;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #retryMs: number = RETRY_MS[0];

  constructor(options: CardKeeperOptions) {
    this.#options = options;
    this.#timers = options.timers ?? globalThis;
  }

  get snapshot(): AgentSnapshot {
    return this.#snapshot;
  }

  /** How the agent of the snapshot's card is called; empty while there is none. */
  get interfaces(): readonly CardInterface[] {
    return this.#interfaces;
  }

  /** When the card became what it is, in milliseconds since the epoch; undefined while there is none. */
  get changedAt(): number | undefined {
    return this.#changedAt;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Asks for the card now, or waits for the one that is being asked for. Never throws: the snapshot says how it went. */
  refresh(): Promise<void> {
    return (this.#running ??= this.#refresh().finally(() => (this.#running = undefined)));
  }

  [Symbol.dispose](): void {
    this.#closed.abort(new GatewayError('client_closed', 'The agent is no longer served.'));
    this.#timers.clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  async #refresh(): Promise<void> {
    this.#timers.clearTimeout(this.#timer);
    let next: number;
    try {
      next = await this.#ask();
      this.#retryMs = RETRY_MS[0];
    } catch (error) {
      if (this.#closed.signal.aborted) return;
      this.#fail(GatewayError.from(error));
      next = this.#retryMs;
      this.#retryMs = Math.min(next * 2, RETRY_MS[1]);
    }
    if (!this.#closed.signal.aborted) this.#timer = this.#timers.setTimeout(() => void this.refresh(), next).unref();
  }

  /** Gives the milliseconds until the card is asked for again. */
  async #ask(): Promise<number> {
    const { document, raw, address } = await this.#find();
    if (raw !== undefined) {
      const read = readCard(raw, document.url);
      const { signature, final } = await this.#verify(raw);
      if (this.#closed.signal.aborted) return 0;
      // Of a card whose signatures could not be looked at, the whole is asked for again.
      this.#found = { address, etag: final ? document.etag : undefined };
      this.#take(read, signature);
    } else this.#take({ card: this.#snapshot.card as JsonObject, interfaces: this.#interfaces }, this.#snapshot.signature);
    return freshFor(document.cacheControl);
  }

  /** The document at the first address that has one; `raw` is absent when the card at hand is still good. Throws what the first address had to say. */
  async #find(): Promise<{ readonly document: FetchedDocument; readonly raw: JsonObject | undefined; readonly address: string }> {
    const { url, fetch, signers = [] } = this.#options;
    const headers = { accept: 'application/json', 'a2a-version': '1.0' };
    const found = this.#found;
    const addresses = [...new Set([...(found === undefined ? [] : [found.address]), ...cardAddresses(url)])];
    let first: unknown;
    for (const address of addresses) {
      try {
        const etag = found?.address === address ? found.etag : undefined;
        const { signal } = this.#closed;
        const document = await fetch(address, { headers, signers, maxBytes: LARGEST_CARD, signal, ...(etag !== undefined && { etag }) });
        return { document, raw: document.notModified ? undefined : parsed(document), address };
      } catch (error) {
        first ??= error;
        if (!isElsewhere(error)) throw first;
      }
    }
    throw first;
  }

  async #verify(raw: JsonObject): Promise<{ readonly signature: SignatureState; readonly final: boolean }> {
    const { name, log, signatures = {} } = this.#options;
    const keys: JsonObject[] = [...(signatures.keys ?? [])];
    let final = true;
    const isSigned = Array.isArray(raw['signatures']) && raw['signatures'].length > 0;
    if (signatures.jwks !== undefined && isSigned) {
      try {
        keys.push(...(await this.#fetchKeys(signatures.jwks)));
      } catch (error) {
        final = false;
        log.warn({ agent: name, code: GatewayError.from(error).code }, 'the keys of signatures could not be fetched');
      }
    }
    const state = await verifyCard(raw, keys);
    const signature = state === 'invalid' && !final ? 'unchecked' : state;
    if (signatures.require === true && signature !== 'verified') throw new GatewayError('upstream_failed', REFUSED[signature]);
    return { signature, final };
  }

  async #fetchKeys(url: string): Promise<readonly JsonObject[]> {
    const { body } = await this.#options.fetch(url, { maxBytes: LARGEST_CARD, signal: this.#closed.signal });
    const set: unknown = JSON.parse(decodeText(body));
    if (!isObject(set) || !Array.isArray(set['keys'])) throw new GatewayError('upstream_failed', 'The keys of signatures are no JWK set.');
    return set['keys'].filter(isObject);
  }

  #take({ card, interfaces }: ReadCard, signature: SignatureState): void {
    const before = this.#snapshot;
    const next = { state: 'ready', card, signature } as const;
    if (JSON.stringify(before.card) !== JSON.stringify(card)) this.#changedAt = this.#options.now();
    this.#interfaces = interfaces;
    this.#show(next);
  }

  #fail({ code, message }: GatewayError): void {
    const { card, signature } = this.#snapshot;
    this.#options.log.warn({ agent: this.#options.name, code }, `agent card not taken: ${message}`);
    this.#show({ state: card === undefined ? 'failed' : 'ready', error: message, card, signature });
  }

  #show(next: Omit<AgentSnapshot, 'version'>): void {
    const version = hash('sha256', JSON.stringify(next), 'base64url');
    if (version === this.#snapshot.version) return;
    this.#snapshot = { version, ...next };
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch (err) {
        this.#options.log.error({ agent: this.#options.name, err }, 'a change of the agent card could not be announced');
      }
    }
  }
}

const REFUSED = {
  unsigned: 'The agent card is not signed, which signatures.require asks for.',
  unchecked: 'The signatures on the agent card cannot be checked: signatures names no key that could be had.',
  invalid: 'The agent card has no signature by a key of signatures.',
} as const;

function parsed({ body }: FetchedDocument): JsonObject {
  let card: unknown;
  try {
    card = JSON.parse(decodeText(body));
  } catch {
    card = undefined;
  }
  if (!isObject(card)) throw new NotCardError('upstream_failed', 'The agent card is no JSON object.');
  return card;
}

class NotCardError extends GatewayError {}

/** True when the card may be at another address. */
function isElsewhere(error: unknown): boolean {
  return error instanceof NotCardError || (error instanceof NoDocumentError && [404, 405, 410].includes(error.answered));
}
