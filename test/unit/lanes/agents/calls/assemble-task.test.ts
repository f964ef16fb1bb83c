import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AgentOperation, AgentsChunk } from '../../../../../src/core/agents.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { TaskAssembly } from '../../../../../src/lanes/agents/calls/assemble-task.ts';
import { taskIs } from '../start-agents.ts';

function assemble(events: readonly JsonObject[], operation: AgentOperation = 'message/stream', task?: string): AgentsChunk[] {
  const assembly = new TaskAssembly({ operation, input: { agent: 'travel', params: {}, ...(task === undefined ? {} : { task }) } });
  return events.map((event) => assembly.chunk(event));
}
const last = (...of: Parameters<typeof assemble>): JsonObject | undefined => assemble(...of).at(-1)?.reply?.result;

const status = (state: string): JsonObject => ({ statusUpdate: { taskId: 't', contextId: 'c', status: { state: `TASK_STATE_${state}` } } });
const artifact = (id: string, text: string, append?: boolean): JsonObject => ({
  artifactUpdate: {
    taskId: 't',
    contextId: 'c',
    artifact: { artifactId: id, name: id, parts: [{ text }] },
    ...(append === undefined ? {} : { append }),
  },
});
const task = (state: string, more: JsonObject = {}): JsonObject => ({ task: taskIs('t', state, more) });

describe('the whole of a stream', () => {
  it('is a message, where one comes', () => {
    const message = { messageId: 'm', parts: [] };
    expect(assemble([{ message }])).toEqual([{ event: { message }, reply: { result: { message } } }]);
  });

  it('comes with the event that ends the task, and with no other', () => {
    const events = [task('SUBMITTED', { metadata: { kept: 1 } }), status('WORKING'), artifact('a', 'one'), status('COMPLETED')];
    const chunks = assemble(events);
    expect(chunks.map(({ event }) => event)).toEqual(events);
    expect(chunks.map(({ reply }) => reply !== undefined)).toEqual([false, false, false, true]);
    expect(chunks[3]!.reply!.result).toEqual({
      task: {
        id: 't',
        contextId: 'c-t',
        metadata: { kept: 1 },
        status: { state: 'TASK_STATE_COMPLETED' },
        artifacts: [{ artifactId: 'a', name: 'a', parts: [{ text: 'one' }] }],
      },
    });
  });

  it.each(['COMPLETED', 'FAILED', 'CANCELED', 'REJECTED', 'INPUT_REQUIRED', 'AUTH_REQUIRED'])('ends with %s', (state) =>
    expect(last([task('WORKING'), status(state)])).toMatchObject({ task: { status: { state: `TASK_STATE_${state}` } } }),
  );

  it.each(['SUBMITTED', 'WORKING', 'UNSPECIFIED'])('goes on after %s', (state) => expect(last([status(state)])).toBeUndefined());

  it('knows of a task that nobody announced by what is said of it', () =>
    expect(last([artifact('a', 'x'), status('COMPLETED')])).toEqual({
      task: {
        id: 't',
        contextId: 'c',
        status: { state: 'TASK_STATE_COMPLETED' },
        artifacts: [{ artifactId: 'a', name: 'a', parts: [{ text: 'x' }] }],
      },
    }));

  it.each<[string, AgentOperation, string | undefined]>([
    ['resubscribed', 'tasks/resubscribe', 't'],
    ['a task that goes on', 'message/stream', 't'],
  ])('%s: how the task stood before is not its end; what comes then is', (_, operation, id) => {
    const chunks = assemble([task('INPUT_REQUIRED'), status('WORKING'), status('INPUT_REQUIRED')], operation, id);
    expect(chunks.map(({ reply }) => reply !== undefined)).toEqual([false, false, true]);
  });

  it('an ended task is ended, resubscribed or not', () => expect(last([task('COMPLETED')], 'tasks/resubscribe', 't')).toBeDefined());

  it('a task that comes whole stands for all before it', () =>
    expect(last([artifact('a', 'old'), task('COMPLETED', { artifacts: [{ artifactId: 'b', parts: [{ text: 'new' }] }] })])).toMatchObject({
      task: { artifacts: [{ artifactId: 'b', parts: [{ text: 'new' }] }] },
    }));

  it('does not change what it was given', () => {
    const events = [
      task('WORKING', { artifacts: [{ artifactId: 'a', parts: [{ text: 'x' }] }] }),
      artifact('a', 'y', true),
      status('COMPLETED'),
    ];
    const copy = structuredClone(events);
    assemble(events);
    expect(events).toEqual(copy);
  });

  it('pieces of artifacts: appended ones follow, others take the place, in the order of the first of each', () => {
    const piece = fc.record({ id: fc.constantFrom('a', 'b', 'c'), text: fc.string(), append: fc.option(fc.boolean(), { nil: undefined }) });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const expected = new Map<string, string[]>();
        for (const { id, text, append } of pieces) {
          if (append === true) expected.set(id, [...(expected.get(id) ?? []), text]);
          else expected.set(id, [text]);
        }
        const result = last([...pieces.map(({ id, text, append }) => artifact(id, text, append)), status('COMPLETED')]);
        const { artifacts } = result!['task'] as { artifacts: { artifactId: string; parts: { text: string }[] }[] };
        expect(artifacts.map(({ artifactId, parts }) => [artifactId, parts.map(({ text }) => text)])).toEqual([...expected]);
      }),
    );
  });

  it.each([{}, { statusUpdate: 'no' }, { artifactUpdate: { artifact: 'no' } }, { task: null }, { statusUpdate: {} }])(
    '%j is passed on',
    (event) => expect(assemble([event])).toEqual([{ event }]),
  );
});
