import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AgentsChunk, AgentsInput, AgentsReply } from '../../../../src/core/agents.ts';
import type { Payload } from '../../../../src/core/call.ts';
import type { JsonObject } from '../../../../src/core/json.ts';
import { agentReplies, agentSegments } from '../../../../src/lanes/agents/segments.ts';

const input = (params: JsonObject): AgentsInput => ({ agent: 'travel', params });
const said = (payload: Payload): string[] =>
  [...agentSegments.segments(payload)].map(({ path, origin, text }) => `${path} ${origin}: ${text}`);
const upper = <T extends Payload>(payload: T): T => agentSegments.mapText(payload, ({ text }) => text.toUpperCase());

const MESSAGE = {
  messageId: 'id',
  role: 'ROLE_USER',
  parts: [
    { text: 'hello', metadata: { note: 'kept' } },
    { data: { 'a/b': ['x', 1, { c: 'y' }], n: null } },
    { url: 'https://x.test/file', filename: 'secret.txt' },
    { raw: 'AAAA' },
  ],
  metadata: { skill: 'flights' },
};

describe('agentSegments', () => {
  it('gives the texts of a message and of its data, with who said them and where they stand', () => {
    expect(said(input({ message: MESSAGE, metadata: { a: 'no' } }))).toEqual([
      '/params/message/parts/0/text user: hello',
      '/params/message/parts/1/data/a~1b/0 arguments: x',
      '/params/message/parts/1/data/a~1b/2/c arguments: y',
    ]);
  });

  it('gives what an agent says: status, history and artifacts of a task', () => {
    const reply: AgentsReply = {
      result: {
        task: {
          id: 't',
          status: { state: 'TASK_STATE_WORKING', message: { role: 'ROLE_AGENT', parts: [{ text: 'wait' }] } },
          history: [{ role: 'ROLE_USER', parts: [{ text: 'asked' }] }],
          artifacts: [{ artifactId: 'a', name: 'name', parts: [{ text: 'made' }, { data: 'whole' }] }],
        },
      },
    };
    expect(said(reply).toSorted()).toEqual([
      '/result/task/artifacts/0/parts/0/text assistant: made',
      '/result/task/artifacts/0/parts/1/data result: whole',
      '/result/task/history/0/parts/0/text user: asked',
      '/result/task/status/message/parts/0/text assistant: wait',
    ]);
  });

  it.each([
    ['a task on its own', { status: { message: { parts: [{ text: 'x' }] } } }, '/result/status/message/parts/0/text'],
    ['a list of tasks', { tasks: [{ artifacts: [{ parts: [{ text: 'x' }] }] }] }, '/result/tasks/0/artifacts/0/parts/0/text'],
    ['a message', { message: { parts: [{ text: 'x' }] } }, '/result/message/parts/0/text'],
  ])('%s', (_, result, path) => expect(said({ result } as AgentsReply)).toEqual([`${path} assistant: x`]));

  it.each([
    ['statusUpdate', { status: { message: { parts: [{ text: 'x' }] } } }, '/status/message/parts/0/text'],
    ['artifactUpdate', { artifact: { parts: [{ text: 'x' }] } }, '/artifact/parts/0/text'],
  ])('of a stream: %s', (name, update, path) =>
    expect(said({ event: { [name]: update } } as AgentsChunk)).toEqual([`/event/${name}${path} assistant: x`]),
  );

  it('changes the whole that a stream has come to as it changes its last event', () => {
    const message = { role: 'ROLE_AGENT', parts: [{ text: 'done' }] };
    expect(upper({ event: { message }, reply: { result: { message } } })).toEqual({
      event: { message: { role: 'ROLE_AGENT', parts: [{ text: 'DONE' }] } },
      reply: { result: { message: { role: 'ROLE_AGENT', parts: [{ text: 'DONE' }] } } },
    });
  });

  it('leaves files, names, ids and metadata alone, and what it was given', () => {
    const before = input({ message: MESSAGE });
    const copy = structuredClone(before);
    expect(upper(before)).toEqual(
      input({
        message: {
          ...MESSAGE,
          parts: [
            { text: 'HELLO', metadata: { note: 'kept' } },
            { data: { 'a/b': ['X', 1, { c: 'Y' }], n: null } },
            ...MESSAGE.parts.slice(2),
          ],
        },
      }),
    );
    expect(before).toEqual(copy);
  });

  it('is safe with anything: reading changes nothing, and every path leads to its text', () => {
    const key = fc.constantFrom(
      'message',
      'task',
      'status',
      'artifacts',
      'history',
      'parts',
      'text',
      'data',
      'role',
      'x',
      'a/b~c',
      '__proto__',
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        fc.string(),
        fc.integer(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value')),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, value), (params) => {
        const payload = input(params);
        expect(agentSegments.mapText(payload, ({ text }) => text)).toEqual(payload);
        for (const { path, text } of agentSegments.segments(payload)) {
          const found = path
            .slice(1)
            .split('/')
            .reduce<unknown>((at, token) => (at as JsonObject)[token.replaceAll('~1', '/').replaceAll('~0', '~')], payload);
          expect(found).toBe(text);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('agentReplies', () => {
  it.each([
    [{ task: { status: { state: 'TASK_STATE_FAILED' } } }, true],
    [{ status: { state: 'TASK_STATE_REJECTED' } }, true],
    [{ task: { status: { state: 'TASK_STATE_COMPLETED' } } }, false],
    [{ task: { status: { state: 'TASK_STATE_CANCELED' } } }, false],
    [{ message: { parts: [] } }, false],
    [{}, false],
  ])('%j is a failure of the agent: %s', (result, failed) => expect(agentReplies.failed({ result })).toBe(failed));

  it('a stream is completed by the chunk that has the whole, and a whole reply is a stream of one', () => {
    const reply = { result: { task: { id: 't' } } };
    expect(agentReplies.completed({ event: {} })).toBeUndefined();
    expect(agentReplies.completed({ event: {}, reply })).toBe(reply);
    expect([...agentReplies.replay(reply, [])]).toEqual([{ event: { task: { id: 't' } }, reply }]);
    expect(agentReplies.urgent({ event: {} })).toBe(false);
  });
});
