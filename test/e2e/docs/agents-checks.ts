import { expect } from 'vitest';
import type { Checks } from './checks.ts';
import type { Answer } from './start-example.ts';

const echoed = ({ body }: Answer): string =>
  (body.result?.task?.artifacts ?? []).flatMap(({ parts }: { parts: { text: string }[] }) => parts.map(({ text }) => text)).join(' ');
const state = ({ body }: Answer): string => body.result?.task?.status?.state;

export const agentsChecks: Checks = {
  'Register an agent': {
    async assert({ send, get, agent }) {
      expect(echoed(await send('travel', 'Hello there'))).toBe('Hello there');
      expect(agent('travel.example.com').heard[0]?.headers['authorization']).toBe('Bearer text-of-TRAVEL_TOKEN');
      expect(echoed(await send('billing', 'Hello'))).toBe('Hello');
      expect(agent('billing.example.com').heard[0]?.headers['x-key']).toBe('text-of-BILLING_KEY');
      const { body, text } = await get('/a2a');
      expect(body.agents.map(({ name }: { name: string }) => name)).toEqual(['travel', 'billing']);
      expect(text).not.toContain(new URL(agent('billing.example.com').url).port);
    },
  },
  Cards: {
    async assert({ send, status }) {
      await expect.poll(async () => (await status()).agents[0]?.state).toBe('failed');
      expect((await status()).agents[0]?.error).toMatch(/sign/);
      expect((await send('travel', 'Hello')).body.error.code).toBe(-32603);
    },
  },
  'Who may call what': {
    async assert({ send, get, explain, agent }) {
      expect(state(await send('travel', 'Hello', { as: 'alice' }))).toBe('TASK_STATE_COMPLETED');
      const search = { metadata: { skill: 'search-flights' } };
      expect(state(await send('travel', 'Rome', { as: 'bob', message: search }))).toBe('TASK_STATE_COMPLETED');
      const heard = agent('travel.example.com').heard.length;
      for (const metadata of [{}, { skill: 'book-flight' }])
        expect((await send('travel', 'Rome', { as: 'bob', message: { metadata } })).body.error.message).toMatch(/skill/);
      expect(agent('travel.example.com').heard).toHaveLength(heard);
      const card = await get('/a2a/travel/.well-known/agent-card.json', { as: 'bob', headers: { 'a2a-version': '1.0' } });
      expect(card.body.skills.map(({ id }: { id: string }) => id)).toEqual(['search-flights']);
      const answers = await Promise.all(Array.from({ length: 31 }, () => send('travel', 'Hello', { as: 'alice' })));
      expect(answers.some(({ body }) => /limit of 30 requests a minute/.test(body.error?.message))).toBe(true);
      expect((await explain({ agent: 'travel', consumer: 'bob' })).map(({ effect }) => effect)).toContain('hides');
    },
  },
  'Several instances': {
    async assert({ send, agent, status }) {
      await expect.poll(async () => (await status()).agents[0]?.state).toBe('ready');
      const heard = (host: string): number => agent(`${host}.example.com`).heard.length;
      for (let count = 0; count < 20; count += 1) await send('travel', 'Hello');
      expect(heard('travel-1')).toBeGreaterThan(heard('travel-2'));
      expect(heard('travel-1') + heard('travel-2')).toBe(20);
      const begun = await send('travel', 'ask', { headers: { 'x-canary': 'yes' } });
      expect(heard('travel-next')).toBe(1);
      const { id, contextId } = begun.body.result.task;
      await send('travel', 'Go on', { message: { taskId: id, contextId } });
      expect(heard('travel-next')).toBe(2);
    },
  },
  'HTTP applications as agents': {
    async assert({ send, app }) {
      app('helpdesk').answer = (_request, response) =>
        void response
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .end(
            'data: {"event":"message","answer":"Hello","conversation_id":"c"}\n\ndata: {"event":"message_end","conversation_id":"c"}\n\n',
          );
      expect(echoed(await send('helpdesk', 'Hi'))).toBe('Hello');
      const [request] = app('helpdesk').requests;
      expect(request).toMatchObject({ path: '/v1/chat-messages', headers: { authorization: 'Bearer text-of-DIFY_KEY' } });
    },
  },
};
