import { describe, expect, it, vi } from 'vitest';
import { Secret } from '../../../../../../../src/core/secret.ts';
import { application, bench, noteOf, sendJson, sse, stateOf, textIn } from '../application.ts';

function events(list: readonly unknown[]) {
  return application((_asked, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.end(sse(list));
  });
}
const delta = (content: string | null, finish: string | null = null) => ({ choices: [{ delta: { content }, finish_reason: finish }] });

describe('openai-chat', () => {
  it('tells the whole conversation each time', async () => {
    const app = await events([delta(''), delta('Hel'), delta('lo'), delta(null, 'stop'), { choices: [], usage: {} }, '[DONE]']);
    const { send } = bench({ preset: 'openai-chat', url: `${app.url}/v1`, model: 'qwen3', instructions: 'Be kind.' });
    const task = await send('Hi');
    expect(textIn(task)).toBe('Hello');
    await send('And?', { message: { contextId: task['contextId'] } });
    expect(app.asked.map(({ path }) => path)).toEqual(['/v1/chat/completions', '/v1/chat/completions']);
    expect(app.asked[0]!.body).toMatchObject({ model: 'qwen3', stream: true });
    expect(app.asked[1]!.body['messages']).toEqual([
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
      { role: 'user', content: 'And?' },
    ]);
  });

  it('takes an answer that comes whole', async () => {
    const app = await application((_asked, res) => sendJson(res, { choices: [{ message: { content: 'Hello' }, finish_reason: 'stop' }] }));
    const task = await bench({ preset: 'openai-chat', url: app.url, model: 'm', streaming: false }).send('Hi');
    expect(textIn(task)).toBe('Hello');
    expect(app.asked[0]!.body).not.toHaveProperty('stream');
  });

  it('fails with the sentence of the error, in a stream too', async () => {
    const app = await events([delta('Hel'), { error: { message: 'overloaded', code: 529 } }]);
    const task = await bench({ preset: 'openai-chat', url: app.url, model: 'm' }).send('Hi');
    expect([stateOf(task), noteOf(task), textIn(task)]).toEqual(['TASK_STATE_FAILED', 'overloaded', 'Hel']);
  });
});

describe('dify', () => {
  const stream = [
    { event: 'workflow_started', task_id: 't1', conversation_id: 'c-1' },
    { event: 'agent_thought', thought: 'hm', conversation_id: 'c-1' },
    { event: 'agent_message', answer: 'Hel', task_id: 't1', conversation_id: 'c-1' },
    { event: 'ping' },
    { event: 'message', answer: 'lo', task_id: 't1', conversation_id: 'c-1' },
    { event: 'message_end', task_id: 't1', conversation_id: 'c-1', metadata: {} },
    { event: 'tts_message_end', audio: '' },
  ];

  it('keeps the conversation, and stands for the consumer by a name that is none', async () => {
    const app = await events(stream);
    const { send } = bench({ preset: 'dify', url: `${app.url}/v1` });
    const task = await send([{ text: 'Hi' }, { data: { city: 'Rome' } }]);
    expect(textIn(task)).toBe('Hello');
    await send('More', { message: { contextId: task['contextId'] } });
    await send('Hi', {}, { consumer: 'bob' });
    const [first, second, third] = app.asked.map(({ body }) => body);
    expect(first).toEqual({ inputs: { city: 'Rome' }, query: 'Hi', response_mode: 'streaming', user: first!['user'] });
    expect(second).toEqual({ inputs: {}, query: 'More', response_mode: 'streaming', conversation_id: 'c-1', user: first!['user'] });
    expect(first!['user']).toMatch(/^[0-9a-f]{32}$/);
    expect(third!['user']).not.toBe(first!['user']);
    expect(app.asked[0]!.path).toBe('/v1/chat-messages');
  });

  it('replaces what moderation takes back, and says what failed', async () => {
    const replaced = await events([
      { event: 'message', answer: 'rude' },
      { event: 'message_replace', answer: 'polite' },
      { event: 'message_end' },
    ]);
    expect(textIn(await bench({ preset: 'dify', url: replaced.url }).send('x'))).toBe('polite');
    const failed = await events([
      { event: 'message', answer: 'a' },
      { event: 'error', status: 400, code: 'quota', message: 'no quota' },
    ]);
    const task = await bench({ preset: 'dify', url: failed.url }).send('x');
    expect([stateOf(task), noteOf(task)]).toEqual(['TASK_STATE_FAILED', 'no quota']);
  });

  it('asks for the whole answer where it may not stream', async () => {
    const app = await application((_asked, res) => sendJson(res, { event: 'message', answer: 'Hello', conversation_id: 'c' }));
    expect(textIn(await bench({ preset: 'dify', url: app.url, streaming: false }).send('x'))).toBe('Hello');
    expect(app.asked[0]!.body['response_mode']).toBe('blocking');
  });

  it('stops the work of a canceled task', async () => {
    const app = await application(({ path }, res) => {
      if (path.endsWith('/stop')) return sendJson(res, { result: 'success' });
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      return res.write(sse(stream.slice(0, 3)));
    });
    const { ask, store, send } = bench({ preset: 'dify', url: app.url });
    const { id } = await send('x', { configuration: { returnImmediately: true } });
    await vi.waitFor(async () => {
      const got = await ask('tasks/get', { id });
      expect(textIn('reply' in got ? got.reply.result : {})).toBe('Hel');
    });
    await ask('tasks/cancel', { id });
    await vi.waitFor(() =>
      expect(app.asked.at(-1)).toMatchObject({ path: '/chat-messages/t1/stop', body: { user: app.asked[0]!.body['user'] } }),
    );
    expect(store.records.get(String(id))?.state).toBe('TASK_STATE_CANCELED');
  });
});

describe('model-studio', () => {
  it('adds the id of the application, streams, and keeps the session', async () => {
    const output = (text: string, finish: string) => ({
      output: { session_id: 's1', finish_reason: finish, text },
      usage: {},
      request_id: 'r',
    });
    const app = await application((_asked, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream;charset=UTF-8' });
      const list = [output('Hel', 'null'), output('lo', 'null'), output('', 'stop')];
      res.end(list.map((one, index) => `id:${index + 1}\nevent:result\n:HTTP_STATUS/200\ndata:${JSON.stringify(one)}\n\n`).join(''));
    });
    const { send, source } = bench({ preset: 'model-studio', url: app.url, app: new Secret('APP-123') });
    const task = await send('Hi');
    expect(textIn(task)).toBe('Hello');
    await send('More', { message: { contextId: task['contextId'] } });
    expect(app.asked[0]).toMatchObject({ path: '/api/v1/apps/APP-123/completion', headers: { 'x-dashscope-sse': 'enable' } });
    expect(app.asked[0]!.body).toEqual({ input: { prompt: 'Hi' }, parameters: { incremental_output: true }, debug: {} });
    expect(app.asked[1]!.body['input']).toEqual({ prompt: 'More', session_id: 's1' });
    expect(JSON.stringify([task, source.snapshot])).not.toContain('APP-123');
  });

  it('says what failed, with a status and in a stream', async () => {
    const refused = await application((_asked, res) =>
      sendJson(res, { code: 'InvalidParameter', message: 'prompt is empty', request_id: 'r' }, 400),
    );
    expect(noteOf(await bench({ preset: 'model-studio', url: refused.url, app: new Secret('a') }).send('x'))).toBe('prompt is empty');
    const failed = await application((_asked, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.end('id:1\nevent:error\n:HTTP_STATUS/400\ndata:{"code":"DataInspectionFailed","message":"refused","request_id":"r"}\n\n');
    });
    const task = await bench({ preset: 'model-studio', url: failed.url, app: new Secret('a') }).send('x');
    expect([stateOf(task), noteOf(task)]).toEqual(['TASK_STATE_FAILED', 'refused']);
  });
});
