import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { TaskFold } from '../../../../../src/lanes/agents/calls/task-fold.ts';
import { taskResult } from '../../../../../src/lanes/agents/tools/task-result.ts';

function fold(...events: readonly JsonObject[]): TaskFold {
  const known = new TaskFold();
  for (const event of events) known.take(event);
  return known;
}
const says = (text: string): JsonObject => ({ messageId: text, role: 'ROLE_AGENT', parts: [{ text }] });
const status = (state: string, message?: JsonObject): JsonObject => ({ state: `TASK_STATE_${state}`, ...(message && { message }) });
const task = (more: JsonObject): JsonObject => ({ task: { id: 't', contextId: 'c', ...more } });
const update = (state: string): JsonObject => ({ statusUpdate: { taskId: 't', contextId: 'c', status: status(state) } });
const piece = (artifact: JsonObject, append = true): JsonObject => ({ artifactUpdate: { taskId: 't', contextId: 'c', artifact, append } });
const message = { message: { ...says('Hi'), taskId: 't9', contextId: 'c9' } };

describe('what is known of a task', () => {
  it('is nothing at first', () => {
    const { taskId, contextId, message: said, state, artifacts, ended, asks } = fold({}, { task: null }, { statusUpdate: 'no' });
    expect([taskId, contextId, said, state, artifacts, ended, asks]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      [],
      false,
      false,
    ]);
  });

  it('is what its events say, one after the other', () => {
    const asked = { statusUpdate: { taskId: 't', status: status('INPUT_REQUIRED', says('Which?')) } };
    const known = fold(task({ status: status('WORKING'), metadata: { kept: 1 } }), piece({ artifactId: 'a', name: 'A', parts: [] }), asked);
    expect(known).toMatchObject({ taskId: 't', contextId: 'c', state: 'TASK_STATE_INPUT_REQUIRED', asks: true, ended: false });
    expect(known.message).toEqual(says('Which?'));
    expect(known.task).toEqual({
      id: 't',
      contextId: 'c',
      metadata: { kept: 1 },
      status: status('INPUT_REQUIRED', says('Which?')),
      artifacts: [{ artifactId: 'a', name: 'A', parts: [] }],
    });
  });

  it.each([[undefined], [null], ['WORKING']])('stays what it was after an update whose status is %j', (empty) => {
    const known = fold(task({ status: status('WORKING', says('Soon.')) }), { statusUpdate: { taskId: 't', status: empty, metadata: {} } });
    expect(known).toMatchObject({ state: 'TASK_STATE_WORKING', message: says('Soon.') });
    expect(known.task).toMatchObject({ status: status('WORKING', says('Soon.')) });
  });

  it('keeps the ids that are known when a task comes with empty ones', () => {
    const ids = { id: '', contextId: '' };
    expect(fold(update('WORKING'), task({ ...ids, status: status('WORKING') })).task).toMatchObject({ id: 't', contextId: 'c' });
    expect(fold(update('WORKING'), { task: { id: 'own', contextId: 'mine' } }).task).toMatchObject({ id: 'own', contextId: 'mine' });
  });

  it('of a plain message, is the message and its conversation: it begins no task', () =>
    expect(fold(message)).toMatchObject({ taskId: undefined, contextId: 'c9', message: message.message, state: undefined }));

  it('does not outlast a task that comes whole, whose status too is what it says, or none', () => {
    const said = { statusUpdate: { taskId: 't', contextId: 'c', status: status('INPUT_REQUIRED', says('Which?')) } };
    const known = fold(said, piece({ artifactId: 'a', parts: [{ text: 'x' }] }), { task: { metadata: {} } });
    expect(known).toMatchObject({ taskId: 't', contextId: 'c', state: undefined, message: undefined, asks: false, artifacts: [] });
    expect(known.task).not.toHaveProperty('status.state');
  });
});

describe('artifacts', () => {
  it.each([[undefined], [''], [7]])(
    'are one and the same without an id, whether it is left out or is %j, and none that is called undefined',
    (id) => {
      const named = { artifactId: 'undefined', parts: [{ text: 'other' }] };
      const known = fold(piece(named), piece({ parts: [{ text: 'a' }] }), piece({ artifactId: id, parts: [{ text: 'b' }] }));
      expect(known.artifacts).toEqual([named, { parts: [{ text: 'a' }, { text: 'b' }] }]);
    },
  );

  it('grow in the fold, and never in what it was given', () => {
    const events = [task({ artifacts: [{ artifactId: 'a', parts: [{ text: 'x' }] }] }), piece({ artifactId: 'a', parts: [{ text: 'y' }] })];
    const copy = structuredClone(events);
    const known = fold(events[0]!);
    const parts = known.artifacts[0]?.['parts'];
    known.take(events[1]!);
    expect(known.artifacts[0]?.['parts']).toBe(parts);
    expect(parts).toEqual([{ text: 'x' }, { text: 'y' }]);
    expect(events).toEqual(copy);
  });

  it('are the same, however the parts are cut into pieces', () => {
    const cuts = fc.array(fc.array(fc.record({ text: fc.string() }), { maxLength: 4 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(cuts, (pieces) => {
        const known = fold(...pieces.map((parts, index) => piece({ artifactId: 'a', parts }, index > 0)));
        expect(known.task).toEqual(fold(piece({ artifactId: 'a', parts: pieces.flat() })).task);
      }),
    );
  });

  it('of many pieces take work in proportion, and so do the words of them', () => {
    function work(pieces: number): number {
      const events = Array.from({ length: pieces }, () => piece({ artifactId: 'a', parts: [{ text: 'x' }] }));
      const begin = performance.now();
      const { content } = taskResult(fold(...events), 'far');
      const ms = performance.now() - begin;
      expect(content?.[0]?.['text']).toHaveLength(pieces);
      return ms;
    }
    const best = (pieces: number): number => Math.min(work(pieces), work(pieces), work(pieces));
    // The square would be a hundred times as much. Very short times say nothing.
    expect(best(30_000)).toBeLessThan(60 * Math.max(best(3_000), 5));
  });

  it('may come in pieces of very many parts', () => {
    const parts = Array.from({ length: 200_000 }, () => ({ text: 'x' }));
    const known = fold(piece({ artifactId: 'a', parts: [] }), piece({ artifactId: 'a', parts }));
    expect(known.artifacts[0]?.['parts']).toHaveLength(200_000);
  });
});

describe('the end of a turn', () => {
  const settles = (goesOn: boolean, ...events: readonly JsonObject[]): boolean => fold(...events).settles(events.at(-1)!, goesOn);
  const waiting = ['INPUT_REQUIRED', 'AUTH_REQUIRED'];
  const ended = ['COMPLETED', 'FAILED', 'CANCELED', 'REJECTED'];

  it('is a message, on its own and after a task', () =>
    expect([settles(false, message), settles(true, message), settles(false, task({ status: status('WORKING') }), message)]).toEqual([
      true,
      true,
      true,
    ]));

  it.each(waiting)('is a new task in %s; one that goes on may be shown as it stood', (state) => {
    expect([false, true].map((goesOn) => settles(goesOn, task({ status: status(state) })))).toEqual([true, false]);
    expect([false, true].map((goesOn) => settles(goesOn, task({ status: status(state) }), update(state)))).toEqual([true, true]);
  });

  it.each(ended)('is every task in %s, shown or told', (state) => {
    for (const goesOn of [false, true])
      expect([settles(goesOn, task({ status: status(state) })), settles(goesOn, update(state))]).toEqual([true, true]);
  });

  it.each(['SUBMITTED', 'WORKING', 'UNSPECIFIED'])('is not %s', (state) =>
    expect([settles(false, task({ status: status(state) })), settles(false, update(state))]).toEqual([false, false]),
  );

  it.each([[{}], [piece({ artifactId: 'a', parts: [] })], [{ statusUpdate: { taskId: 't' } }]])(
    'is not what says nothing of the status of a stale task: %j',
    (event) => expect(settles(true, task({ status: status('INPUT_REQUIRED') }), event)).toBe(false),
  );
});
