import { expect, it, vi } from 'vitest';
import type { ModelRouteConfig } from '../../../../../src/config/types.ts';
import type { Classifier, Semantics, Verdict } from '../../../../../src/core/contracts/semantics.ts';
import { startLane } from '../doors/start-lane.ts';

const VERDICT: Verdict = { name: 'billing', scores: [{ name: 'billing', score: 0.8, threshold: 0.5 }], scorer: 'linear', model: 'mini' };
const BASE: ModelRouteConfig = { name: 'base', match: { model: '*' }, targets: [{ provider: 'main' }] };
const ASKING: ModelRouteConfig = { name: 'accounts', match: { model: '*', intent: 'billing' }, targets: [{ provider: 'main' }] };

/** A lane whose vendor answers at once, and whose intents are found by `classify`. */
function lane(classify: Classifier['classify'], mode: 'on' | 'shadow', models = [ASKING, BASE]) {
  const semantics = { classifier: () => ({ classify, ready: () => Promise.resolve() }) } as unknown as Semantics;
  const intents = { intents: { billing: { examples: ['my invoice'] } }, intentRouting: { mode, timeout: 5_000 } };
  return startLane({ vendor: () => ({ body: { choices: [{ index: 0, message: { content: 'ok' } }] } }), semantics, intents, models });
}

const SAID = { model: 'assistant', messages: [{ role: 'user', content: 'where is my invoice of last May' }] };

it('in shadow the answer does not wait for the intent, and the record does', async () => {
  const { promise, resolve } = Promise.withResolvers<Verdict>();
  const { ask, records, inside } = await lane(() => promise, 'shadow');
  expect((await ask('/v1/chat/completions', SAID)).status).toBe(200);
  expect([records.length, inside()]).toEqual([0, 1]);
  resolve(VERDICT);
  await vi.waitFor(() => expect(inside()).toBe(0));
  expect(records.map(({ call, outcome }) => [call.route, outcome.ok, outcome.events.map(({ type, detail }) => [type, detail])])).toEqual([
    ['base', true, [['intent', expect.stringMatching(/^billing 0\.80 .* \(shadow: no route is taken by it\)$/)]]],
  ]);
});

it('in shadow a call that finds no route is recorded with its intent too', async () => {
  const { ask, records } = await lane(() => Promise.resolve(VERDICT), 'shadow', [ASKING]);
  expect((await ask('/v1/chat/completions', SAID)).status).toBe(404);
  await vi.waitFor(() => expect(records).toHaveLength(1));
  expect(records[0]!.outcome.events).toMatchObject([{ type: 'intent' }]);
});

it.each(['on', 'shadow'] as const)('a call in which the user says nothing has an intent that is unknown: %s', async (mode) => {
  const classify = vi.fn(() => Promise.resolve(VERDICT));
  const { ask, records } = await lane(classify, mode);
  const messages = [{ role: 'user', content: '<system-reminder>Mind my invoice</system-reminder>' }];
  expect((await ask('/v1/chat/completions', { model: 'assistant', messages })).status).toBe(200);
  await vi.waitFor(() => expect(records).toHaveLength(1));
  const [{ call, outcome }] = records as [(typeof records)[number]];
  expect(call.route).toBe('base');
  expect(outcome.events).toMatchObject([{ type: 'intent', detail: expect.stringMatching(/^unknown: the user has said nothing/) }]);
  expect(classify).not.toHaveBeenCalled();
});
