import { expect, it } from 'vitest';
import { asToolCall } from '../../../../src/gateway/lanes/as-tool-call.ts';
import { agentSegments } from '../../../../src/lanes/agents/segments.ts';
import { LiveCall } from '../../../../src/pipeline/live-call.ts';
import { SILENT } from '../../pipeline/live-calls.ts';

const CALL = new LiveCall<'agents'>({
  id: 'id',
  lane: 'agents',
  operation: 'message/send',
  route: 'shop',
  consumer: { name: 'alice', groups: ['staff'], anonymous: false },
  request: { headers: { 'x-a': '1' }, ip: '192.0.2.1', size: 3 },
  log: SILENT,
  codec: agentSegments,
  input: { agent: 'shop', params: { message: { parts: [{ text: 'hello' }] } } },
});

it('is the same caller, for one operation with its arguments', () => {
  const made = asToolCall(CALL, 'findPets', { limit: 1 });
  expect(made.input).toEqual({ name: 'findPets', arguments: { limit: 1 }, params: { name: 'findPets', arguments: { limit: 1 } } });
  const { id, route, consumer, request, startedAt } = CALL;
  expect(made).toMatchObject({ id, route, consumer, request, startedAt, lane: 'tools', operation: 'tools/call' });
  expect(made.signal).toBe(CALL.signal);
});

it('has no texts of its own, and its notes go to the record of the call', () => {
  const made = asToolCall(CALL, 'findPets', {});
  expect([...made.segments()]).toEqual([]);
  expect(made.estimate()).toEqual({});
  expect(() => made.rewriteText(() => '')).toThrow('nobody changes the texts of this call');
  made.note('retried', 'x');
  expect(CALL.events).toEqual([expect.objectContaining({ type: 'retried', detail: 'x' })]);
});
