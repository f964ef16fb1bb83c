import { generateAgentCardSignature, AgentCard } from '@a2a-js/sdk';
import { exportJWK, generateKeyPair } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GatewayError } from '../../../../../src/core/errors.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import type { Logger } from '../../../../../src/core/logger.ts';
import {
  cardAddresses,
  CardKeeper,
  freshFor,
  type CardFetchOptions,
  type CardKeeperOptions,
} from '../../../../../src/lanes/agents/cards/card-keeper.ts';
import { NoDocumentError, type FetchedDocument } from '../../../../../src/upstreams/document.ts';
import { http, serve } from '../../../upstreams/upstream.ts';
import { CARD_10 } from './sample-cards.ts';

const CARD_URL = 'https://agent.internal/card.json';

interface Answer {
  readonly body?: unknown;
  readonly etag?: string;
  readonly cacheControl?: string;
  readonly status?: number;
}

/** An agent whose answers the test sets, by URL or for all. */
function agent(first: Answer | Record<string, Answer>) {
  let answers = first;
  const asked: { url: string; options: CardFetchOptions }[] = [];
  const fetch = async (url: string, options: CardFetchOptions): Promise<FetchedDocument> => {
    asked.push({ url, options });
    const {
      body,
      etag,
      cacheControl,
      status = 200,
    } = (answers as Record<string, Answer>)[url] ?? (url in answers ? {} : (answers as Answer));
    if (status === 0) throw new GatewayError('upstream_unreachable', 'agent.internal could not be reached.');
    const notModified = etag !== undefined && options.etag === etag;
    if (status !== 200) throw new NoDocumentError('agent.internal', status);
    const text = typeof body === 'string' ? body : JSON.stringify(body ?? null);
    return { url, notModified, body: Buffer.from(notModified ? '' : text), contentType: 'application/json', etag, cacheControl };
  };
  return { fetch, asked, answer: (next: Answer | Record<string, Answer>) => void (answers = next) };
}

const lines: string[] = [];
const note = (_fields: object, message: string): void => void lines.push(message);
const log = { debug: note, info: note, warn: note, error: note, child: () => log } as Logger;

function keep(options: Partial<CardKeeperOptions> & Pick<CardKeeperOptions, 'fetch'>): CardKeeper {
  return new CardKeeper({ name: 'routes', url: CARD_URL, now: Date.now, log, ...options });
}

beforeEach(() => {
  lines.length = 0;
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => void vi.useRealTimers());

describe('CardKeeper', () => {
  it('reads the card, asks for 1.0 with the credentials and tells its listeners', async () => {
    const up = agent({ body: CARD_10, etag: '"1"' });
    const signer = { refreshable: false, sign: (request: never) => request };
    const keeper = keep({ fetch: up.fetch, signers: [signer] });
    const listener = vi.fn();
    keeper.subscribe(listener);
    expect([keeper.snapshot.state, keeper.interfaces, keeper.changedAt]).toEqual(['loading', [], undefined]);
    await keeper.refresh();
    expect(keeper.snapshot).toMatchObject({ state: 'ready', card: CARD_10, signature: 'unsigned' });
    expect(keeper.snapshot).not.toHaveProperty('error');
    expect([keeper.interfaces[0]?.url, keeper.changedAt]).toEqual(['https://agent.internal:8443/base/a2a', 1_000_000]);
    expect(up.asked).toMatchObject([{ url: CARD_URL, options: { headers: { 'a2a-version': '1.0' }, signers: [signer] } }]);
    expect(listener).toHaveBeenCalledOnce();
    keeper[Symbol.dispose]();
  });

  it('asks again when the card is no longer fresh, by its tag, and is silent when nothing changed', async () => {
    const up = agent({ body: CARD_10, etag: '"1"', cacheControl: 'public, max-age=60' });
    const keeper = keep({ fetch: up.fetch });
    const listener = vi.fn();
    await keeper.refresh();
    keeper.subscribe(listener);
    await vi.advanceTimersByTimeAsync(59_000);
    expect(up.asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(up.asked[1]?.options.etag).toBe('"1"');
    expect([keeper.snapshot.card, listener.mock.calls.length]).toEqual([CARD_10, 0]);
    up.answer({ body: { ...CARD_10, name: 'Other' }, etag: '"2"' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect([keeper.snapshot.card?.['name'], keeper.changedAt, listener.mock.calls.length]).toEqual(['Other', 1_120_000, 1]);
    keeper[Symbol.dispose]();
  });

  it('keeps the last good card while the agent is down, tries again later and later, and recovers', async () => {
    const up = agent({ body: CARD_10 });
    const keeper = keep({ fetch: up.fetch });
    await keeper.refresh();
    up.answer({ status: 0 });
    await keeper.refresh();
    expect(keeper.snapshot).toMatchObject({ state: 'ready', card: CARD_10, error: 'agent.internal could not be reached.' });
    expect(lines).toEqual(['agent card not taken: agent.internal could not be reached.']);
    const tries = async (ms: number) => (await vi.advanceTimersByTimeAsync(ms), up.asked.length);
    expect([await tries(4_999), await tries(1), await tries(9_999), await tries(1), await tries(20_000)]).toEqual([2, 3, 3, 4, 5]);
    up.answer({ body: CARD_10 });
    await keeper.refresh();
    expect(keeper.snapshot).not.toHaveProperty('error');
    up.answer({ body: { name: 'A', url: 7 } });
    await keeper.refresh();
    expect(keeper.snapshot).toMatchObject({ state: 'ready', card: CARD_10, error: expect.stringMatching(/field url/) });
    keeper[Symbol.dispose]();
  });

  it('is failed while there never was a card, and ready when there is one', async () => {
    const up = agent({ status: 0 });
    const keeper = keep({ fetch: up.fetch });
    await keeper.refresh();
    expect(keeper.snapshot).toMatchObject({ state: 'failed', card: undefined, error: 'agent.internal could not be reached.' });
    up.answer({ body: CARD_10 });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(keeper.snapshot.state).toBe('ready');
    keeper[Symbol.dispose]();
  });

  it('looks below an address, then at the older path, then at the address, and remembers where it was', async () => {
    const url = 'https://agent.internal/a2a/';
    const [first, older] = cardAddresses(url) as [string, string];
    const up = agent({ [first]: { status: 404 }, [older]: { body: CARD_10, etag: '"1"' } });
    const keeper = keep({ fetch: up.fetch, url });
    await keeper.refresh();
    await keeper.refresh();
    expect(up.asked.map((one) => one.url)).toEqual([first, older, older]);
    up.answer({ [first]: { status: 404 }, [older]: { body: '<html>' }, [url]: { body: { ...CARD_10, name: 'There' } } });
    await keeper.refresh();
    expect(keeper.snapshot.card?.['name']).toBe('There');
    up.answer({ status: 404 });
    await keeper.refresh();
    expect(keeper.snapshot.error).toMatch(/answered 404/);
    const broken = agent({ [first]: { status: 500 } });
    await keep({ fetch: broken.fetch, url }).refresh();
    expect(broken.asked).toHaveLength(1);
    keeper[Symbol.dispose]();
  });

  it('joins a refresh under way, and ends for good when it is disposed of', async () => {
    const up = agent({ body: CARD_10 });
    const keeper = keep({ fetch: up.fetch });
    await Promise.all([keeper.refresh(), keeper.refresh()]);
    expect(up.asked).toHaveLength(1);
    const listener = vi.fn();
    keeper.subscribe(listener);
    up.answer({ body: { ...CARD_10, name: 'Late' } });
    const late = keeper.refresh();
    keeper[Symbol.dispose]();
    await late;
    expect([up.asked[1]?.options.signal?.aborted, keeper.snapshot.card?.['name'], listener.mock.calls.length]).toEqual([true, 'Routes', 0]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('goes on when a listener fails', async () => {
    const keeper = keep({ fetch: agent({ body: CARD_10 }).fetch });
    const listener = vi.fn();
    keeper.subscribe(() => {
      throw new Error('broken');
    });
    keeper.subscribe(listener);
    await keeper.refresh();
    expect([listener.mock.calls.length, lines]).toEqual([1, ['a change of the agent card could not be announced']]);
    keeper[Symbol.dispose]();
  });
});

describe('CardKeeper with signatures', () => {
  const JWKS = 'https://keys.example/jwks.json';

  async function signed(): Promise<{ card: JsonObject; key: JsonObject }> {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const card = await generateAgentCardSignature(privateKey, { alg: 'ES256', kid: 'k1', typ: 'JOSE' })(AgentCard.fromJSON(CARD_10));
    return { card: AgentCard.toJSON(card) as JsonObject, key: { ...(await exportJWK(publicKey)), kid: 'k1' } as JsonObject };
  }

  it('says what they are worth', async () => {
    const { card, key } = await signed();
    const stateOf = async (body: unknown, signatures?: CardKeeperOptions['signatures']) => {
      const keeper = keep({ fetch: agent({ body }).fetch, ...(signatures && { signatures }) });
      await keeper.refresh();
      keeper[Symbol.dispose]();
      return [keeper.snapshot.state, keeper.snapshot.signature];
    };
    expect(await stateOf(card, { keys: [key] })).toEqual(['ready', 'verified']);
    expect(await stateOf(card)).toEqual(['ready', 'unchecked']);
    expect(await stateOf(CARD_10, { keys: [key] })).toEqual(['ready', 'unsigned']);
    expect(await stateOf({ ...card, name: 'Forged' }, { keys: [key] })).toEqual(['ready', 'invalid']);
    expect(await stateOf({ ...card, name: 'Forged' }, { keys: [key], require: true })).toEqual(['failed', 'unsigned']);
  });

  it('takes no other card when a good signature is required', async () => {
    const { card, key } = await signed();
    const up = agent({ body: card });
    const keeper = keep({ fetch: up.fetch, signatures: { keys: [key], require: true } });
    await keeper.refresh();
    up.answer({ body: { ...card, name: 'Forged' } });
    await keeper.refresh();
    expect(keeper.snapshot).toMatchObject({
      state: 'ready',
      signature: 'verified',
      card: { name: 'Routes' },
      error: expect.stringMatching(/no signature by a key/),
    });
    up.answer({ body: CARD_10 });
    await keeper.refresh();
    expect(keeper.snapshot).toMatchObject({ signature: 'verified', error: expect.stringMatching(/is not signed/) });
    keeper[Symbol.dispose]();
  });

  it('fetches keys without the credentials, and looks again while they cannot be had', async () => {
    const { card, key } = await signed();
    const up = agent({ [CARD_URL]: { body: card, etag: '"1"' }, [JWKS]: { status: 0 } });
    const keeper = keep({ fetch: up.fetch, signers: [{ refreshable: false, sign: (request) => request }], signatures: { jwks: JWKS } });
    await keeper.refresh();
    expect(keeper.snapshot).toMatchObject({ state: 'ready', signature: 'unchecked' });
    expect(lines).toEqual(['the keys of signatures could not be fetched']);
    up.answer({ [CARD_URL]: { body: card, etag: '"1"' }, [JWKS]: { body: { keys: [key] } } });
    await keeper.refresh();
    expect(keeper.snapshot.signature).toBe('verified');
    expect(up.asked.filter(({ url }) => url === JWKS).map(({ options }) => options.signers)).toEqual([undefined, undefined]);
    await keeper.refresh();
    expect([up.asked.at(-1)?.url, up.asked.at(-1)?.options.etag, keeper.snapshot.signature]).toEqual([CARD_URL, '"1"', 'verified']);
    keeper[Symbol.dispose]();
  });
});

describe('a keeper on the network', () => {
  it('reads what a server gives, with a base address', async () => {
    vi.useRealTimers();
    const versions: unknown[] = [];
    const { origin } = await serve((req, res) => {
      versions.push(req.headers['a2a-version']);
      if (req.url === '/team/.well-known/agent.json')
        res.setHeader('cache-control', 'max-age=45').end(JSON.stringify({ name: 'A', url: '/team/a2a' }));
      else res.writeHead(404).end();
    });
    const up = http();
    const keeper = keep({ url: `${origin}/team`, fetch: (url, options) => up.fetchDocument(url, { ...options, trust: 'operator' }) });
    await keeper.refresh();
    expect(keeper.interfaces).toEqual([{ url: `${origin}/team/a2a`, binding: 'JSONRPC', version: '0.3' }]);
    expect(versions).toEqual(['1.0', '1.0']);
    keeper[Symbol.dispose]();
  });
});

describe('cardAddresses', () => {
  it.each([
    ['https://a.example', ['https://a.example/.well-known/agent-card.json', 'https://a.example/.well-known/agent.json']],
    [
      'https://a.example/x/',
      ['https://a.example/x/.well-known/agent-card.json', 'https://a.example/x/.well-known/agent.json', 'https://a.example/x/'],
    ],
    ['https://a.example/x/card.JSON', ['https://a.example/x/card.JSON']],
    ['https://a.example/cards?id=7', ['https://a.example/cards?id=7']],
    ['demo:echo', ['demo:echo/.well-known/agent-card.json', 'demo:echo/.well-known/agent.json']],
  ])('%s', (url, addresses) => expect(cardAddresses(url)).toEqual(addresses));
});

describe('freshFor', () => {
  it.each([
    [undefined, 300_000],
    ['public', 300_000],
    ['public, max-age=90', 90_000],
    ['Max-Age="90"', 90_000],
    ['s-maxage=90', 300_000],
    ['max-age=1', 30_000],
    ['max-age=9999999', 3_600_000],
    ['no-cache, max-age=90', 30_000],
    ['no-store', 30_000],
  ])('%s is %i ms', (header, ms) => expect(freshFor(header)).toBe(ms));
});
