import type { ServerResponse } from 'node:http';
import { expect } from 'vitest';
import { type RecordedRequest, sendJson } from '../../support/echo-server.ts';
import type { Checks } from './checks.ts';
import type { Answer } from './start-example.ts';

const textOf = ({ body }: Answer): string =>
  (body.result?.task?.artifacts ?? []).flatMap(({ parts }: { parts: { text?: string }[] }) => parts.map(({ text }) => text ?? '')).join('');
const state = ({ body }: Answer): string => body.result?.task?.status?.state;
const bodyOf = ({ body }: RecordedRequest): Record<string, unknown> => JSON.parse(body.toString()) as Record<string, unknown>;
const events = (response: ServerResponse, ...lines: readonly string[]): void =>
  void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(lines.map((line) => `${line}\n\n`).join(''));
const data = (event: object): string => `data: ${JSON.stringify(event)}`;

export const httpAgentsChecks: Checks = {
  'HTTP applications as agents': {
    async assert({ send, app }) {
      app('weather').answer = (request, response) => sendJson(response, 200, { answer: `Sun over ${String(bodyOf(request)['question'])}` });
      const answer = await send('weather', 'Rome');
      expect(textOf(answer)).toBe('Sun over Rome');
      expect(app('weather').requests[0]).toMatchObject({ path: '/api/ask', headers: { 'x-key': 'text-of-WEATHER_KEY' } });
      const again = await send('weather', 'Oslo', { headers: { 'a2a-version': '0.3' } });
      expect(again.body.error.code).toBe(-32601);
    },
  },
  Platforms: {
    async assert({ send, app }) {
      app('support').answer = (_request, response) =>
        events(
          response,
          data({ event: 'message', answer: 'On its way', conversation_id: 'c1' }),
          data({ event: 'message_end', conversation_id: 'c1' }),
        );
      const first = await send('support', 'Where is my order?');
      expect(textOf(first)).toBe('On its way');
      const { contextId } = first.body.result.task;
      await send('support', 'And now?', { message: { contextId } });
      expect(app('support').requests.map((request) => bodyOf(request)['conversation_id'] ?? '')).toEqual(['', 'c1']);
      expect(app('support').requests[0]).toMatchObject({ headers: { authorization: 'Bearer text-of-DIFY_APP_KEY' } });

      app('travel').answer = (_request, response) =>
        events(response, data({ output: { text: 'By train', finish_reason: 'stop', session_id: 's1' } }));
      expect(textOf(await send('travel', 'How do I get there?'))).toBe('By train');
      expect(app('travel').requests[0]?.path).toContain('text-of-TRAVEL_APP_ID');

      app('helper').answer = (_request, response) =>
        events(response, data({ choices: [{ delta: { content: 'Twice.' }, finish_reason: 'stop' }] }), 'data: [DONE]');
      expect(textOf(await send('helper', 'How often?'))).toBe('Twice.');
      const { model, messages } = bodyOf(app('helper').requests[0]!) as { model: string; messages: object[] };
      expect([model, ...messages]).toEqual([
        'qwen3',
        { role: 'system', content: 'Answer in two sentences.' },
        { role: 'user', content: 'How often?' },
      ]);
    },
  },
  'An OpenAPI document': {
    async assert({ send, app }) {
      app('pets').answer = (_request, response) => sendJson(response, 200, { id: 1, name: 'Rex', photoUrls: [] });
      const named = await send('pets', [{ data: { petId: 1 } }], { message: { metadata: { skill: 'getPetById' } } });
      expect(JSON.stringify(named.body.result)).toContain('Rex');
      const inData = await send('pets', [{ data: { skill: 'getPetById', arguments: { petId: 1 } } }]);
      expect(JSON.stringify(inData.body.result)).toContain('Rex');

      expect(app('pets').requests.map(({ path }) => path.endsWith('/1'))).toEqual([true, true]);
      app('pets').answer = (_request, response) => sendJson(response, 404, { message: 'No pet of that number' });
      const refused = await send('pets', [{ data: { petId: 2 } }], { message: { metadata: { skill: 'getPetById' } } });
      expect(state(refused)).toBe('TASK_STATE_FAILED');
      expect(JSON.stringify(refused.body.result.task.status)).toContain('No pet of that number');
    },
  },
  Templates: {
    async assert({ send, app }) {
      app('printer').answer = (_request, response) => sendJson(response, 200, { receipt: { text: 'Printed' } });
      const answer = await send('printer', [{ text: 'A poem' }, { data: { printer: 'a/b', copies: 2 } }]);
      expect(textOf(answer)).toBe('Printed');
      const [request] = app('printer').requests;
      expect(request).toMatchObject({ method: 'POST', path: '/api/printers/a%2Fb/jobs', headers: { 'x-client': 'anonymous' } });
      expect(bodyOf(request!)).toEqual({ text: 'A poem', copies: 2, note: 'for anonymous' });
      app('printer').answer = (_request, response) => sendJson(response, 200, { problem: 'Out of paper' });
      expect(state(await send('printer', [{ text: 'A poem' }, { data: { printer: 'a' } }]))).toBe('TASK_STATE_FAILED');
      expect((await send('printer', 'A poem')).body.error.code).toBe(-32602);
    },
  },
  'Answers piece by piece': {
    async assert({ send, app }) {
      app('writer').answer = (_request, response) =>
        events(response, ...['Once ', 'upon'].map((content) => data({ kind: 'delta', content })), data({ kind: 'done' }));
      expect(textOf(await send('writer', 'A tale'))).toBe('Once upon');
      app('writer').answer = (_request, response) => events(response, data({ kind: 'delta', content: 'Once ' }));
      const cut = await send('writer', 'A tale');
      expect([state(cut), textOf(cut)]).toEqual(['TASK_STATE_FAILED', 'Once ']);
      app('writer').answer = (_request, response) => sendJson(response, 200, { text: 'All at once' });
      expect(textOf(await send('writer', 'A tale'))).toBe('All at once');
    },
  },
  'Jobs that take long': {
    async assert({ send, app }) {
      app('render').answer = ({ method }, response) =>
        sendJson(
          response,
          200,
          method === 'POST' ? { id: 'j1', status: 'waiting' } : { id: 'j1', status: 'question', progress: 'Which sky?' },
        );
      const asked = await send('render', 'A beach');
      expect(state(asked)).toBe('TASK_STATE_INPUT_REQUIRED');
      const { id: taskId, contextId } = asked.body.result.task;
      app('render').answer = (_request, response) =>
        sendJson(response, 200, { id: 'j1', status: 'done', result: { url: 'https://files.example.com/film' } });
      const done = await send('render', 'A blue one', { message: { taskId, contextId } });
      expect(state(done)).toBe('TASK_STATE_COMPLETED');
      expect(JSON.stringify(done.body.result.task.artifacts)).toContain('https://files.example.com/film');
      const told = app('render').requests.map((request) => [
        request.method,
        request.path,
        request.method === 'POST' ? bodyOf(request) : {},
      ]);
      expect(told).toEqual([
        ['POST', '/jobs', { scene: 'A beach' }],
        ['GET', '/jobs/j1', {}],
        ['POST', '/jobs', { scene: 'A blue one', job: 'j1' }],
      ]);
    },
  },
  'Several skills': {
    async assert({ send, app, get }) {
      app('desk').answer = ({ path }, response) => sendJson(response, 200, { result: path });
      const skill = (id: string): object => ({ message: { metadata: { skill: id } } });
      expect(textOf(await send('desk', 'Guten Morgen', skill('translate')))).toBe('/translate');
      expect(textOf(await send('desk', 'A long story', skill('sum-up')))).toBe('/summary');
      expect((await send('desk', 'Guten Morgen')).body.error.code).toBe(-32602);
      const { body } = await get('/a2a/desk/.well-known/agent-card.json');
      expect(body.skills.map(({ id }: { id: string }) => id)).toEqual(['translate', 'sum-up']);
    },
  },
};
