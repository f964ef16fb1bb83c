import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Mock, Mocks } from '../../../support/mock-providers/server.mjs';
import { callsAt, openai, type Stage, startStage } from '../../traffic/_stage.ts';
import type { Driver, Failure, Seen } from './ask.ts';
import { anthropic } from './clients/anthropic.ts';
import { openaiChat } from './clients/openai-chat.ts';
import { openaiResponses } from './clients/openai-responses.ts';

const CLIENTS: readonly Driver[] = [openaiChat, openaiResponses, anthropic];
const STORIES = ['burst', 'slow', 'cut-early', 'cut-late', 'limited', 'gone', 'dead', 'asks-again'] as const;
type Story = (typeof STORIES)[number];
/** Those of which the first target has somebody behind it. */
const WITH_FALLBACK: readonly Story[] = ['slow', 'cut-early', 'cut-late', 'dead'];

/** A model for each story and client, so that what is seen of a target is its own. */
const config = ([one, two]: readonly Mocks[]): object => ({
  providers: { a: openai(one!.openai), b: openai(two!.openai), dead: openai({ ...one!.openai, url: 'http://127.0.0.1:9' }) },
  models: [...CLIENTS.map(({ door }) => door), 'own'].flatMap((door) =>
    STORIES.map((story) => ({
      name: `${story}-${door}`,
      targets: [{ provider: story === 'dead' ? 'dead' : 'a', model: `gpt-${story}-${door}` }],
      ...(WITH_FALLBACK.includes(story) && { fallback: [{ provider: 'b' }] }),
      ...(story === 'slow' && { timeouts: { firstToken: '250ms' } }),
    })),
  ),
});

describe('official clients, when a target fails', () => {
  let stage: Stage;
  let a: Mock;
  let b: Mock;
  beforeAll(async () => {
    stage = await startStage({ config });
    [a, b] = stage.arms.map(({ openai: mock }) => mock) as [Mock, Mock];
  });
  afterAll(() => stage?.stop());
  beforeEach(() => stage.reset());

  const model = (story: Story, { door }: Pick<Driver, 'door'>): string => `${story}-${door}`;
  const ask = (driver: Driver, story: Story, stream: boolean): Promise<Seen> =>
    driver.chat(stage.hub.url, { model: model(story, driver), stream, turns: [{ role: 'user', text: 'one two three four five six' }] });
  const failing = async (driver: Driver, story: Story, stream: boolean): Promise<Failure> => {
    const thrown = await ask(driver, story, stream).then(
      ({ text }) => new Error(`no failure but: ${text}`),
      (error: unknown) => error,
    );
    return driver.failure(thrown);
  };
  const counts = (): number[] => [callsAt(a), callsAt(b)];

  describe.each(CLIENTS)('$name', (driver) => {
    it.each([false, true])('is answered after a burst of 503 (stream: %s)', async (stream) => {
      a.setFault('503,times=1');
      expect((await ask(driver, 'burst', stream)).text).toBe('Echo: one two three four five six');
      expect(counts()).toEqual([2, 0]);
    });

    it.each([
      ['slow', 'slow-first-token,ms=5000'],
      ['cut-early', 'cut-midstream,after=0'],
      ['dead', ''],
    ] as const)('is answered as a stream by the fallback, and sees nothing of what was before (%s)', async (story, fault) => {
      a.setFault(fault);
      const { text, finish, usage } = await ask(driver, story, true);
      expect({ text, finish }).toEqual({ text: 'Echo: one two three four five six', finish: 'stop' });
      expect(usage).toMatchObject({ input: 6, output: 7 });
      expect(counts()[1]).toBe(1);
    });

    it('takes a stream that is cut late for no answer', async () => {
      a.setFault('cut-midstream,after=7');
      const failure = await failing(driver, 'cut-late', true);
      expect(failure.message).toMatch(/broke off its answer/);
      expect(counts()).toEqual([1, 0]);
    });

    it.each([false, true])('reads how long a limit lasts (stream: %s)', async (stream) => {
      a.setFault('429,retry=42');
      expect(await failing(driver, 'limited', stream)).toMatchObject({
        status: 429,
        retryAfter: '42',
        code: driver.door === 'messages' ? 'rate_limit_error' : 'rate_limit_exceeded',
      });
      expect(counts()).toEqual([1, 0]);
    });

    it('reads that the vendor is overloaded, and when to come again once the hub asks it no more', async () => {
      a.setFault('503');
      const status = driver.door === 'messages' ? 529 : 503;
      expect(await failing(driver, 'gone', false)).toMatchObject({ status });
      const refused = await failing(driver, 'gone', false).then(() => failing(driver, 'gone', false));
      expect(refused).toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^\d+$/) });
      expect(callsAt(a)).toBeLessThanOrEqual(6);
    });
  });

  it.each(['openai', 'anthropic'])('%s does not try again what the hub has tried again, with its usual settings', async (name) => {
    a.setFault('503');
    const messages = [{ role: 'user' as const, content: 'hello' }];
    const sent =
      name === 'openai'
        ? new OpenAI({ baseURL: `${stage.hub.url}/v1`, apiKey: 'none' }).chat.completions.create({ model: 'asks-again-chat', messages })
        : new Anthropic({ baseURL: stage.hub.url, apiKey: 'none' }).messages.create({
            model: 'asks-again-messages',
            messages,
            max_tokens: 100,
          });
    await expect(sent).rejects.toMatchObject({ status: name === 'openai' ? 503 : 529 });
    expect(callsAt(a)).toBe(3);
  });
});
