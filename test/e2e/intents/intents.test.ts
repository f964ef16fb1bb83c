import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CallRecord } from '../../../src/core/contracts/call-log.ts';
import { askAdmin } from '../../support/ask-admin.ts';
import { startHub, type Hub } from '../../support/start-hub.ts';
import { runCommand } from '../traffic/_run-command.ts';

const INTENTS = {
  billing: {
    examples: [
      'Why was my card charged twice?',
      'I cannot find the invoice of May',
      'The payment with PayPal failed',
      'Please refund the last charge',
      'Where do I see what I owe?',
      'Send me a receipt for the payment',
    ],
  },
  coding: {
    examples: [
      'Write a function that sorts a list',
      'Why does this Python code not compile?',
      'Explain this stack trace',
      'Fix the bug in my SQL query',
      'Refactor this class into two',
      'How do I write a unit test for it?',
    ],
  },
};
const ROUTES = [
  { name: 'accounts', match: { model: 'assistant', intent: 'billing' }, targets: [{ provider: 'demo', model: 'demo-accounts' }] },
  { name: 'code', match: { model: 'assistant', intent: 'coding' }, targets: [{ provider: 'demo', model: 'demo-code' }] },
  { name: 'assistant', targets: [{ provider: 'demo', model: 'demo-base' }] },
];
const CONFIG = {
  providers: { demo: { type: 'demo' } },
  embedding: { model: 'hubgate-static-en' },
  intents: INTENTS,
  models: ROUTES,
};
const BILLING = 'I was charged two times for the same invoice';
const CODE = 'please fix the bug in this python function';
const ELSE = 'what is the capital of France';

let hub: Hub;
beforeAll(async () => {
  hub = await startHub({ files: { 'hubgate.yaml': JSON.stringify(CONFIG) } });
  await untilLearnt();
});
afterAll(() => hub?.stop());

interface Asked {
  readonly status: number;
  readonly intent: string | null;
  readonly id: string;
}

async function post(path: string, body: object): Promise<Asked> {
  const answer = await fetch(`${hub.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'assistant', ...body }),
  });
  await answer.text();
  return { status: answer.status, intent: answer.headers.get('x-hubgate-intent'), id: answer.headers.get('x-request-id')! };
}

const chat = (text: string, more: object = {}): Promise<Asked> =>
  post('/v1/chat/completions', { messages: [{ role: 'user', content: text }], ...more });

async function untilLearnt(): Promise<void> {
  await vi.waitFor(async () => expect((await chat(BILLING)).intent).toMatch(/^billing /), { timeout: 15_000, interval: 100 });
}

async function record({ id }: Asked): Promise<CallRecord> {
  return vi.waitFor(async () => {
    const { items } = (await askAdmin(hub, 'GET', '/calls')).body as { items: readonly CallRecord[] };
    const found = items.find((one) => one.id === id);
    if (found === undefined) throw new Error('The call is not stored yet.');
    return found;
  });
}

/** Serves another configuration. */
async function reload(config: object): Promise<void> {
  await hub.write('hubgate.yaml', JSON.stringify(config));
  expect((await askAdmin(hub, 'POST', '/reload')).status).toBe(200);
}

describe('calls go where their text belongs', () => {
  it.each([
    [BILLING, 'accounts', /^billing 0\.\d\d \(threshold 0\.\d\d\)$/],
    [CODE, 'code', /^coding 0\.\d\d \(threshold 0\.\d\d\)$/],
    [ELSE, 'assistant', /^none: \w+ 0\.\d\d \(below 0\.\d\d\)$/],
  ])('%s: %s', async (text, route, header) => {
    const asked = await chat(text);
    expect(asked).toMatchObject({ status: 200, intent: expect.stringMatching(header) });
    const { route: taken, events } = await record(asked);
    expect(taken).toBe(route);
    const { detail } = events.find(({ type }) => type === 'intent')!;
    expect(detail).toMatch(/, by linear with hubgate-static-en@2 in \d+ ms$/);
    expect(JSON.stringify(events)).not.toContain(text);
  });

  it.each([
    ['a stream', () => chat(BILLING, { stream: true })],
    ['Messages', () => post('/v1/messages', { max_tokens: 9, messages: [{ role: 'user', content: [{ type: 'text', text: BILLING }] }] })],
    ['Responses', () => post('/v1/responses', { input: BILLING })],
    [
      'a tool that has answered',
      () =>
        chat(BILLING, {
          messages: [
            { role: 'user', content: BILLING },
            {
              role: 'assistant',
              content: null,
              tool_calls: [{ id: 'a', type: 'function', function: { name: 'python_function', arguments: '{}' } }],
            },
            { role: 'tool', tool_call_id: 'a', content: CODE },
          ],
        }),
    ],
  ])('in %s too', async (_, ask) => {
    expect(await record(await ask())).toMatchObject({ route: 'accounts', outcome: 'ok' });
  });

  it('is explained with scores and the route', async () => {
    const told = await runCommand(hub, ['explain', 'model', 'assistant', '--text', CODE]);
    expect(told).toMatch(/intent coding 0\.\d\d \(threshold 0\.\d\d\), billing 0\.\d\d, by linear with hubgate-static-en@2/);
    expect(told).toMatch(/allows +route code: intent coding \(true\)/);
    const { body } = await askAdmin(hub, 'GET', `/explain?model=assistant&text=${encodeURIComponent(ELSE)}`);
    expect(body.steps.at(-1).value).toMatchObject({ route: 'assistant' });
    expect(body.steps[0].value).toMatchObject({ intent: null, scorer: 'linear' });
  });
});

describe('a change of the configuration', () => {
  it('in shadow finds and counts, and takes no route by it', async () => {
    await reload({ ...CONFIG, intentRouting: { mode: 'shadow' } });
    const events = await vi.waitFor(async () => {
      const found = await record(await chat(BILLING));
      expect(found.route).toBe('assistant');
      const detail = found.events.find(({ type }) => type === 'intent')?.detail;
      expect(detail).toMatch(/^billing .*\(shadow: no route is taken by it\)$/);
      return (await fetch(`${hub.adminUrl}/metrics`, { headers: { authorization: `Bearer ${hub.adminToken}` } })).text();
    }, 10_000);
    expect(events).toMatch(/^hubgate_call_events_total\{[^}]*type="intent"[^}]*\} [1-9]/m);
  });

  it('that asks for an intent that there is not is refused, with its line', async () => {
    await hub.write('hubgate.yaml', JSON.stringify(CONFIG, null, 1).replace('"intent": "coding"', '"intent": "legal"'));
    const answer = await askAdmin(hub, 'POST', '/reload');
    expect(answer.text).toContain('There is no intent \\"legal\\". Known: billing, coding.');
    expect(answer.text).toMatch(/"line":\d+/);
    expect((await chat(BILLING)).status).toBe(200);
    await reload(CONFIG);
    await untilLearnt();
  });

  it('that changes an example leaves no call without its intent', async () => {
    const billing = { examples: [...INTENTS.billing.examples, 'Why is the bill so high?'] };
    await reload({ ...CONFIG, intents: { ...INTENTS, billing } });
    expect((await chat('my card was charged twice, please refund it')).intent).toMatch(/^billing /);
  });

  it('that does not touch intents forgets nothing of what was learnt', async () => {
    await reload({ ...CONFIG, models: [...ROUTES, { name: 'another', targets: [{ provider: 'demo' }] }] });
    expect((await chat('charged twice, where is the receipt')).intent).toMatch(/^billing /);
  });
});
