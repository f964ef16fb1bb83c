import { expect } from 'vitest';
import type { Checks } from './checks.ts';

export const modelApisChecks: Checks = {
  'Model APIs: several lists of models in one hub': {
    async assert({ chat, ask }) {
      const answer = await chat('tutor', { api: 'school' });
      expect(await answer.record()).toMatchObject({ route: 'school/tutor', target: 'local/qwen3', outcome: 'ok' });
      const message = { model: 'tutor', max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }] };
      expect((await ask('messages', message, { api: 'school' })).body).toMatchObject({ type: 'message', role: 'assistant' });
      expect((await ask('models', undefined, { api: 'school' })).body.data).toMatchObject([{ id: 'tutor' }]);
      expect((await chat('gpt-5', { api: 'school' })).status).toBe(404);
      expect((await chat('tutor')).status).toBe(404);
      expect((await chat('gpt-5')).status).toBe(200);
    },
  },
  'Own callers, own limits': {
    async assert({ chat, ask, explain, mock, hub }) {
      const partner = { api: 'partner', as: 'partner-acme' };
      const answer = await chat('assistant', partner);
      expect(await answer.record()).toMatchObject({ route: 'partner/assistant', target: 'partners/gpt-5-mini', consumer: 'partner-acme' });
      expect(mock('partners').requests[0]!.headers['authorization']).toBe('Bearer text-of-OPENAI_PARTNERS_KEY');
      expect((await chat('thinker', partner)).status).toBe(200);
      const third = await chat('assistant', partner);
      expect([third.status, third.body.error.code]).toEqual([429, 'rate_limit_exceeded']);
      // Each partner has a counter of its own.
      expect((await chat('assistant', { ...partner, as: 'partner-zeta' })).status).toBe(200);
      const steps = await explain({ model: 'thinker', api: 'partner', consumer: 'partner-zeta' });
      // A call that a later rule refuses has counted for the rule before it.
      expect(steps.map(({ rule, value }) => `${rule}: ${String(value)}`)).toEqual(
        expect.arrayContaining([
          'rate-limit: 100 requests a minute: 4 used, 96 left',
          'rate-limit: 2 requests a minute for consumer partner-zeta: 1 used, 1 left',
          expect.stringMatching(/^budget: \$100 a month: \$0\.\d+ used/),
        ]),
      );

      for (const door of ['chat/completions', 'models']) {
        const body = door === 'models' ? undefined : { model: 'assistant', messages: [] };
        expect((await ask(door, body, { as: 'alice', api: 'partner' })).status).toBe(403);
        expect((await ask(door, body, { as: 'partner-acme' })).status).toBe(403);
      }
      expect((await chat('gpt-5', { as: 'alice' })).status).toBe(200);
      expect((await chat('gpt-5', { ...partner, as: 'partner-zeta' })).status).toBe(404);
      expect((await chat('assistant', { as: 'alice', api: 'other' })).status).toBe(404);
      expect((await fetch(`${hub.url}/apis/partner/v1/models`)).status).toBe(401);
    },
  },
};
