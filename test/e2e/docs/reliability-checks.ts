import { expect } from 'vitest';
import type { CallRecord } from '../../../src/core/contracts/call-log.ts';
import type { Checks } from './checks.ts';

const events = ({ events: all }: CallRecord): string[] => all.map(({ type, detail = '' }) => `${type} ${detail}`);
const REX = { body: { name: 'Rex' } };
const STREAMED = { body: { stream: true } };

export const reliabilityChecks: Checks = {
  'Reliability: what happens when a target fails': {
    async assert({ chat, mock }) {
      mock('openai').setFault('503');
      const answer = await chat('assistant');
      expect(answer.status).toBe(200);
      const record = await answer.record();
      expect(record).toMatchObject({ attempts: 4, target: 'anthropic/claude-haiku-4-5', outcome: 'ok' });
      expect(events(record)).toEqual([
        'failed openai answered 503',
        expect.stringMatching(/^retried openai\/gpt-5-mini after upstream_overloaded, \d+ ms later$/),
        'failed openai answered 503',
        expect.stringMatching(/^retried openai\/gpt-5-mini after upstream_overloaded, \d+ ms later$/),
        'failed openai answered 503',
        'fallback openai/gpt-5-mini → anthropic/claude-haiku-4-5 after upstream_overloaded',
      ]);
      mock('openai').setFault('404');
      expect(await (await chat('assistant')).record()).toMatchObject({ attempts: 2, target: 'anthropic/claude-haiku-4-5' });
      mock('anthropic').setFault('401');
      expect(await (await chat('assistant')).record()).toMatchObject({ target: 'local/qwen3', outcome: 'ok' });

      // A stream changes its target until its first event is there.
      for (const name of ['openai', 'anthropic']) mock(name).setFault('cut-midstream,after=0');
      const early = await chat('assistant', STREAMED);
      expect(early.text).toMatch(/data: \[DONE\]\n\n$/);
      expect(await early.record()).toMatchObject({ target: 'local/qwen3', streamed: true, outcome: 'ok' });
      mock('local').setFault('cut-midstream,after=3');
      const late = await chat('assistant', STREAMED);
      expect(late.text).toMatch(/data: {"error":.*}\n\n$/);
      expect((await late.record()).outcome).toBe('upstream_failed');
    },
  },
  'Refusals that another target may not give': {
    async assert({ chat, mock }) {
      mock('openai').setFault('too-long');
      const answer = await chat('reader');
      expect(await answer.record()).toMatchObject({ attempts: 2, target: 'gemini/gemini-3-pro', outcome: 'ok' });
      mock('openai').setFault('400');
      expect(await (await chat('reader')).record()).toMatchObject({ attempts: 1, outcome: 'model_refused', status: 400 });

      // Where all targets rest after limits, nothing is tried.
      for (const name of ['openai', 'gemini']) mock(name).setFault('429,retry=30');
      expect(await (await chat('reader')).record()).toMatchObject({ attempts: 2, outcome: 'upstream_limited' });
      const limited = await chat('reader');
      expect([limited.status, Number(limited.headers.get('retry-after')) > 25]).toEqual([429, true]);
      expect(await limited.record()).toMatchObject({ attempts: 0, outcome: 'upstream_limited' });
    },
  },
  Retries: {
    async assert({ chat, mock }) {
      const openai = mock('openai');
      openai.setFault('503,times=2');
      expect(await (await chat('patient')).record()).toMatchObject({ attempts: 3, outcome: 'ok' });
      openai.setFault('429,retry=1,times=1');
      const waited = await (await chat('patient')).record();
      expect(waited).toMatchObject({ attempts: 2, outcome: 'ok' });
      expect(waited.durationMs).toBeGreaterThanOrEqual(1_000);
      openai.setFault('429,retry=3');
      const refused = await chat('patient');
      expect([refused.status, refused.headers.get('retry-after'), refused.headers.get('x-should-retry')]).toEqual([429, '3', null]);

      // The budget: of the three retries that there are from the start, and what four calls put by, three were used.
      openai.setFault('503');
      const storm = await chat('patient');
      expect([storm.status, storm.headers.get('x-should-retry')]).toEqual([503, null]);
      expect((await storm.record()).attempts).toBe(1);
      openai.reset();
      expect((await chat('once')).status).toBe(200);
      openai.setFault('503');
      expect((await (await chat('once')).record()).attempts).toBe(1);
    },
  },
  'Several keys of one account': {
    env: { OPENAI_KEY_2: 'sk-bad-key' },
    async assert({ chat, mock, status }) {
      for (let call = 0; call < 10; call++) expect((await chat('gpt-5')).status).toBe(200);
      const used = mock('openai').requests.map(({ headers }) => headers['authorization']);
      const count = (key: string): number => used.filter((value) => value === `Bearer ${key}`).length;
      expect(count('sk-bad-key')).toBe(1);
      // Nine or ten calls at two to one.
      expect(count('text-of-OPENAI_KEY_1')).toBeGreaterThan(count('text-of-OPENAI_KEY_3'));
      const [target] = (await status()).targets;
      expect(target!.keys).toMatchObject([
        { label: 'first', state: 'ok' },
        { label: 'second', state: 'resting' },
        { label: 'small', state: 'ok' },
      ]);
    },
  },
  'Targets that fail: the breaker': {
    async assert({ chat, mock, status }) {
      const openai = mock('openai');
      const calls = (): number => openai.requests.length;
      openai.setFault('503');
      expect((await (await chat('assistant')).record()).attempts).toBe(4);
      expect((await status()).targets[0]).toMatchObject({ provider: 'openai', health: 'open', breaker: 'open' });
      expect(await (await chat('assistant')).record()).toMatchObject({ attempts: 1, target: 'anthropic/claude-haiku-4-5', outcome: 'ok' });
      expect(calls()).toBe(3);
      await expect.poll(async () => (await status()).targets[0]!.health, { timeout: 3_000 }).toBe('probing');
      openai.setFault('slow-first-token,ms=500');
      const answers = await Promise.all(Array.from({ length: 5 }, () => chat('assistant')));
      const targets = await Promise.all(answers.map(async (answer) => (await answer.record()).target));
      expect(targets.filter((target) => target === 'openai/gpt-5-mini')).toHaveLength(1);
      expect((await status()).targets[0]).toMatchObject({ health: 'healthy', breaker: 'closed' });

      openai.setFault('503');
      mock('anthropic').setFault('503');
      const refusal = async (): Promise<unknown[]> => {
        const { status: code, body, headers } = await chat('assistant');
        return [code, body.error.code, headers.get('retry-after') !== null];
      };
      await expect.poll(refusal, { timeout: 8_000, interval: 10 }).toEqual([503, 'unavailable', true]);
    },
  },
  'Asking before callers do: health checks': {
    async assert({ chat, mock, status }) {
      const becomes = async (...health: string[]): Promise<void> =>
        await expect.poll(async () => (await status()).targets.map((target) => target.health), { timeout: 6_000 }).toEqual(health);
      await becomes('healthy', 'healthy');
      mock('gpu-1').setFault('500');
      await becomes('unhealthy', 'healthy');
      for (let call = 0; call < 4; call++) {
        expect(await (await chat('qwen')).record()).toMatchObject({ attempts: 1, target: 'gpu-2/qwen3', outcome: 'ok' });
      }
      mock('gpu-1').reset();
      await becomes('healthy', 'healthy');
      for (let call = 0; call < 4; call++) await chat('qwen');
      const asked = (name: string): string[] => [...new Set(mock(name).requests.map(({ method, path }) => `${method} ${path}`))].sort();
      expect(asked('gpu-1')).toEqual(['GET /v1/models', 'POST /v1/chat/completions']);
      expect(asked('gpu-2')).toEqual(['GET /health', 'POST /v1/chat/completions']);
    },
  },
  Times: {
    async assert({ chat, mock }) {
      mock('openai').setFault('slow-first-token,ms=5000');
      const answer = await chat('assistant', STREAMED);
      const record = await answer.record();
      expect(record).toMatchObject({ attempts: 2, target: 'local/qwen3', outcome: 'ok' });
      expect(events(record)).toEqual(['fallback openai/gpt-5-mini → local/qwen3 after upstream_timeout', 'unpriced ']);
      expect(record.firstByteMs).toBeGreaterThanOrEqual(1_000);
      expect(record.firstByteMs).toBeLessThan(2_500);
    },
  },
  Tools: {
    async assert({ tool, service, status }) {
      const petstore = service('petstore');
      const tried = async (name: string, args: object): Promise<{ tries: number; isError: unknown }> => {
        const before = petstore.requests.length;
        const { result } = await tool('petstore', name, args);
        return { tries: petstore.requests.length - before, isError: result?.['isError'] ?? false };
      };
      petstore.fail(503, 1);
      expect(await tried('listPets', {})).toEqual({ tries: 2, isError: false });
      petstore.fail(503, 1);
      expect(await tried('addPet', REX)).toEqual({ tries: 1, isError: true });
      petstore.fail(404, 1);
      expect(await tried('listPets', {})).toEqual({ tries: 1, isError: true });
      petstore.fail(503, 3);
      expect(await tried('listPets', {})).toEqual({ tries: 2, isError: true });
      expect(await tried('addPet', REX)).toEqual({ tries: 1, isError: true });
      // Three in a row: the breaker is open.
      expect(await tried('listPets', {})).toEqual({ tries: 0, isError: true });
      expect((await status()).sources).toMatchObject([{ name: 'petstore', calls: { health: 'open', breaker: 'open' } }]);
    },
  },
};
