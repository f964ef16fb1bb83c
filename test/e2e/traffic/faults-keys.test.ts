import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askAdmin } from '../../support/ask-admin.ts';
import { type EchoServer, sendJson, startEchoServer } from '../../support/echo-server.ts';
import type { Mock } from '../../support/mock-providers/server.mjs';
import { inParallel } from '../models/in-parallel.ts';
import { type Answer, ask } from './_ask.ts';
import { completion } from './_completion.ts';
import { eventTypes, openai, type Stage, startStage } from './_stage.ts';

const DEAD = 'sk-bad-0123456789abcdef';
const KEYS = { GOOD_ONE: 'sk-good-one-0123456789', DEAD_ONE: DEAD, GOOD_TWO: 'sk-good-two-0123456789' };
/** What the other vendor says of each of its keys. */
const ANSWERS: Readonly<Record<string, number>> = {
  'sk-limited-key': 429,
  'sk-unpaid-key': 402,
  'sk-forbidden-key': 403,
  'sk-unknown-key': 401,
};

const key = (name: string, more: object = {}): object => ({ key: `\${env:${name}}`, ...more });

describe('several keys of a provider', () => {
  let stage: Stage;
  let vendor: EchoServer;
  let a: Mock;
  let b: Mock;
  beforeAll(async () => {
    vendor = await startEchoServer(({ headers, body }, response) => {
      const [, sent = ''] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? [];
      const { model } = JSON.parse(body.toString()) as { model: string };
      const status = model === 'forbidden-model' ? 403 : (ANSWERS[sent] ?? 200);
      if (status !== 200)
        sendJson(response, status, { error: { message: `The key ${sent} is not good.` } }, status === 429 ? { 'retry-after': '30' } : {});
      else sendJson(response, 200, completion(model));
    });
    const secrets = Object.fromEntries(Object.keys(ANSWERS).map((text) => [nameOf(text), text]));
    const own = (keys: readonly object[]): object => ({ type: 'openai-compatible', baseUrl: `${vendor.url}/v1`, keys });
    const single = { type: 'openai-compatible', baseUrl: `${vendor.url}/v1`, apiKey: '${env:GOOD_ONE}' };
    const to = (provider: string, model = `gpt-${provider}`): object => ({ name: provider, targets: [{ provider, model }] });
    stage = await startStage({
      env: { ...KEYS, ...secrets },
      config: ([one, two]) => {
        const account = { type: 'openai', baseUrl: `${one!.openai.url}/v1` };
        return {
          providers: {
            three: { ...account, keys: [key('GOOD_ONE', { label: 'one' }), key('DEAD_ONE', { label: 'the dead one' }), key('GOOD_TWO')] },
            weighted: { ...account, keys: [key('GOOD_ONE', { weight: 3 }), key('GOOD_TWO')] },
            'all-dead': { ...account, keys: [key('DEAD_ONE'), key('DEAD_ONE', { label: 'again' })] },
            'dead-single': { ...account, apiKey: '${env:DEAD_ONE}' },
            mixed: own([...Object.keys(ANSWERS).map((text) => key(nameOf(text), { label: text.slice(3, -4) })), key('GOOD_ONE')]),
            single,
            b: openai(two!.openai),
          },
          models: [
            ...['three', 'weighted', 'all-dead', 'mixed'].map((name) => to(name)),
            { ...to('dead-single'), fallback: [{ provider: 'b' }] },
            { ...to('all-dead'), name: 'all-dead-else', fallback: [{ provider: 'b' }] },
            { ...to('single', 'forbidden-model'), name: 'forbidden', fallback: [{ provider: 'b' }] },
            { ...to('single', 'allowed-model'), name: 'allowed' },
          ],
        };
      },
    });
    [a, b] = stage.arms.map(({ openai: mock }) => mock) as [Mock, Mock];
  });
  afterAll(async () => {
    await stage?.stop();
    await vendor?.stop();
  });
  beforeEach(() => {
    stage.reset();
    vendor.requests.length = 0;
  });

  const send = (model: string, stream = false): Promise<Answer> => ask(stage.hub.url, { model, stream });
  const used = (
    mock: { readonly requests: readonly { readonly headers: { authorization?: string | undefined } }[] },
    sent: string,
  ): number => mock.requests.filter(({ headers }) => headers.authorization === `Bearer ${sent}`).length;

  it('of which one is dead: every call is answered, and the dead one gets few', async () => {
    const atOnce = 10;
    const answers = await inParallel(
      Array.from({ length: 300 }, (_, i) => i),
      atOnce,
      (i) => send('three', i % 2 === 0),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(used(a, DEAD)).toBeGreaterThanOrEqual(1);
    expect(used(a, DEAD)).toBeLessThanOrEqual(atOnce);
    expect(a.requests).toHaveLength(300 + used(a, DEAD));
    const { GOOD_ONE, GOOD_TWO } = KEYS;
    expect(Math.abs(used(a, GOOD_ONE) - used(a, GOOD_TWO))).toBeLessThanOrEqual(atOnce);

    const { keys, health, errorRate } = await stage.target('three', 'three');
    expect({ health, errorRate }).toEqual({ health: 'healthy', errorRate: 0 });
    expect(keys).toEqual([
      { label: 'one', state: 'ok' },
      { label: 'the dead one', state: 'resting', until: expect.any(Number) },
      { label: 'key 3', state: 'ok' },
    ]);
    expect(keys![1]!.until).toBeGreaterThan(Date.now() + 20_000);
    // Nor is it forgotten when the configuration is loaded again.
    await askAdmin(stage.hub, 'POST', '/reload');
    expect((await stage.target('three', 'three')).keys![1]).toMatchObject({ state: 'resting' });
    const records = await Promise.all(answers.slice(0, 12).map(({ id }) => stage.record(id)));
    const retried = records.find(({ attempts }) => attempts === 2);
    expect(eventTypes(retried!)).toEqual(['failed', 'retried', 'unpriced']);
    expect(retried!.events[1]!.detail).toBe('three/gpt-three with another key after upstream_unauthorized');
  });

  it('share calls by their weights', async () => {
    await inParallel(Array.from({ length: 80 }), 4, () => send('weighted'));
    expect([used(a, KEYS.GOOD_ONE), used(a, KEYS.GOOD_TWO)]).toEqual([60, 20]);
  });

  it('rest after 401, 402, 403 and 429 alike', async () => {
    const answer = await send('mixed');
    expect(answer.status).toBe(200);
    expect(vendor.requests).toHaveLength(5);
    expect(new Set(vendor.requests.map(({ body }) => body.toString())).size).toBe(1);
    for (let i = 0; i < 10; i++) expect((await send('mixed')).status).toBe(200);
    expect(used(vendor, KEYS.GOOD_ONE)).toBe(11);
    expect(vendor.requests).toHaveLength(15);
    const { keys } = await stage.target('mixed', 'mixed');
    expect(keys!.map(({ state }) => state)).toEqual(['resting', 'resting', 'resting', 'resting', 'ok']);
  });

  it('are all refused: the caller reads that it is not its own key, or gets the fallback', async () => {
    const answers = [await send('all-dead'), await send('all-dead')];
    expect(answers[0]).toMatchObject({ status: 502, body: { error: { code: 'upstream_unauthorized' } } });
    expect(answers[1]!.status).toBeGreaterThanOrEqual(500);
    expect(Number(answers[1]!.headers['retry-after'])).toBeGreaterThan(0);
    expect(a.requests).toHaveLength(2);
    expect((await send('all-dead-else')).status).toBe(200);
    expect((await send('dead-single')).status).toBe(200);
    expect((await send('dead-single')).status).toBe(200);
    expect(b.requests).toHaveLength(3);
    expect(used(a, DEAD)).toBe(3);
    expect(answers.map(({ text }) => text).join()).not.toMatch(/sk-bad|Incorrect API key/);
  });

  it('a key that is refused for one model is asked for another where nobody else can be', async () => {
    expect((await send('forbidden')).status).toBe(200);
    expect(b.requests).toHaveLength(1);
    for (let i = 0; i < 3; i++) expect(await send('allowed')).toMatchObject({ status: 200, body: { model: 'allowed-model' } });
  });

  it('no key is in the log, in an answer of the admin API or in a record', async () => {
    const shown = await stage.shown();
    expect(shown).toContain('the dead one');
    for (const secret of [...Object.values(KEYS), ...Object.keys(ANSWERS)]) expect(shown).not.toContain(secret);
  });
});

const nameOf = (text: string): string => text.toUpperCase().replaceAll('-', '_');
