import { describe, expect, it } from 'vitest';
import type { AgentConfig } from '../../../../../src/config/types.ts';
import type { AgentOperation } from '../../../../../src/core/agents.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { arrivalOf, type Arrival } from '../../../../../src/lanes/agents/calls/arrival.ts';
import type { Serving } from '../../../../../src/lanes/agents/calls/serving.ts';
import { wireOf } from '../../../../../src/lanes/agents/wires/wires.ts';
import { SILENT } from '../../../pipeline/live-calls.ts';
import { agentOf, ALICE, cardAt, fakeSource, FLIGHTS, HOTELS, messageTo } from '../start-agents.ts';

const serving = { log: SILENT } as unknown as Serving;

function arrive(
  operation: AgentOperation,
  params: JsonObject,
  config: AgentConfig = {},
  skills: readonly object[] = [FLIGHTS, HOTELS],
): Arrival {
  const source = fakeSource('travel', undefined, { card: cardAt('http://travel.test', { skills }) });
  const request = { headers: {}, ip: '192.0.2.1', size: 3 };
  const approach = {
    id: 'call-1',
    consumer: ALICE,
    request,
    wire: wireOf('0.3', 'JSONRPC'),
    extensions: ['x'],
    base: 'https://hub.test',
  } as const;
  return arrivalOf(agentOf(config, [{ source }]), { operation, params, id: 9 }, serving, approach);
}

describe('what a call is about', () => {
  it.each<[AgentOperation, JsonObject, object]>([
    ['message/send', messageTo(), {}],
    [
      'message/send',
      messageTo({ taskId: 't', contextId: 'c', metadata: { skill: 'flights' } }),
      { skill: 'flights', task: 't', context: 'c' },
    ],
    ['message/stream', messageTo({ metadata: { skillId: 'hotels' } }), { skill: 'hotels' }],
    ['message/send', messageTo({ taskId: '', contextId: 7 }), {}],
    ['tasks/get', { id: 't', taskId: 'no' }, { task: 't' }],
    ['tasks/cancel', { id: 't' }, { task: 't' }],
    ['tasks/resubscribe', { id: 't' }, { task: 't' }],
    ['tasks/list', { contextId: 'c' }, { context: 'c' }],
    ['tasks/pushNotificationConfig/set', { taskId: 't', id: 'config' }, { task: 't' }],
    ['tasks/pushNotificationConfig/get', { taskId: 't', id: 'config' }, { task: 't' }],
    ['tasks/pushNotificationConfig/list', { taskId: 't' }, { task: 't' }],
    ['tasks/pushNotificationConfig/delete', { taskId: 't', id: 'config' }, { task: 't' }],
    ['agent/card', {}, {}],
  ])('%s %j', (operation, params, about) => {
    const { call } = arrive(operation, params);
    expect(call.input).toEqual({ agent: 'travel', params, ...about });
    expect(call).toMatchObject({ id: 'call-1', lane: 'agents', operation, route: 'travel', consumer: ALICE });
  });

  it('a message to an agent of one skill is for that one; one that names another is for that', () => {
    expect(arrive('message/send', messageTo(), {}, [FLIGHTS]).call.input.skill).toBe('flights');
    expect(arrive('message/send', messageTo({ metadata: { skill: 'hotels' } }), {}, [FLIGHTS]).call.input.skill).toBe('hotels');
    expect(arrive('message/send', messageTo(), {}, []).call.input).not.toHaveProperty('skill');
    expect(arrive('tasks/get', { id: 't' }, {}, [FLIGHTS]).call.input).not.toHaveProperty('skill');
  });
});

describe('an arrival', () => {
  it('keeps how the caller speaks, and what is to be asked later', () => {
    const arrival = arrive('message/send', messageTo(), { access: [{ allow: [{ skill: '*', when: 'has(args.message)' }] }] });
    expect(arrival).toMatchObject({ id: 9, extensions: ['x'], base: 'https://hub.test', wire: { version: '0.3', binding: 'JSONRPC' } });
    expect(arrival.conditions.map(({ effect }) => effect)).toEqual(['allow']);
  });

  it('throws for what the caller may not do', () =>
    expect(() => arrive('message/send', messageTo({ metadata: { skill: 'hotels' } }), { access: [{ allow: ['flights'] }] })).toThrow(
      expect.objectContaining({ code: 'forbidden' }),
    ));

  it.each<[AgentOperation, JsonObject, object]>([
    ['message/send', messageTo(), { cost: 0.25 }],
    ['message/stream', messageTo(), { cost: 0.25 }],
    ['tasks/get', { id: 't' }, {}],
  ])('%s costs what the operator says', (operation, params, usage) => {
    expect(arrive(operation, params, { price: 0.25 }).call.estimate()).toEqual(usage);
    expect(arrive(operation, params).call.estimate()).toEqual({});
  });
});
