import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ENDED_STATES } from '../../../../../src/core/agents.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { ALICE, artifactUpdate, BOB, openTasks, statusUpdate, task } from './open-tasks.ts';
import type { OpenedTasks } from './open-tasks.ts';

const DAY = 24 * 3_600_000;
let tasks: OpenedTasks;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  tasks = await openTasks();
});
afterEach(() => void vi.useRealTimers());

/** Lets time pass for clock and timers. */
function pass(ms: number): void {
  tasks.time += ms;
  vi.advanceTimersByTime(ms);
}

describe('what is noted', () => {
  it('is at rest before the first word of a task goes out', async () => {
    const book = tasks.book();
    await book.observe(ALICE, { task: task('t1', 'SUBMITTED') });
    const record = { ...ALICE, task: 't1', context: 'context of t1', state: 'TASK_STATE_SUBMITTED', updatedAt: tasks.time };
    expect(await tasks.store.get('travel', 't1')).toEqual(record);
    expect(await tasks.book().owned('travel', 't1', 'alice')).toEqual(record);
  });

  it('is written once for thousands of artifacts, which wait for nothing', async () => {
    const book = tasks.book();
    const first = [...Array(3)].map(() => book.observe(ALICE, artifactUpdate('t1')));
    expect(first.every((one) => one instanceof Promise)).toBe(true);
    await Promise.all(first);
    for (let n = 0; n < 5_000; n += 1) expect(book.observe(ALICE, artifactUpdate('t1'))).toBeUndefined();
    expect(tasks.writes).toEqual(['t1 TASK_STATE_WORKING']);
  });

  it('is nothing for a message', () => {
    expect(tasks.book().observe(ALICE, { message: { messageId: 'm', taskId: 't1', role: 'ROLE_AGENT' } })).toBeUndefined();
    expect(tasks.gets).toEqual([]);
  });

  it('is written at most once a second, the last word in the end', async () => {
    const book = tasks.book();
    await book.observe(ALICE, { task: task('t1', 'SUBMITTED') });
    expect(book.observe(ALICE, statusUpdate('t1', 'WORKING'))).toBeUndefined();
    pass(999);
    expect(book.observe(ALICE, statusUpdate('t1', 'INPUT_REQUIRED'))).toBeUndefined();
    expect(tasks.writes).toEqual(['t1 TASK_STATE_SUBMITTED']);
    pass(1);
    expect(tasks.writes).toEqual(['t1 TASK_STATE_SUBMITTED', 't1 TASK_STATE_INPUT_REQUIRED']);
    pass(5_000);
    await book.observe(ALICE, statusUpdate('t1', 'WORKING'));
    expect(tasks.writes).toHaveLength(3);
  });

  it('is written at once when the task has ended, and then no more', async () => {
    const book = tasks.book();
    await book.observe(ALICE, { task: task('t1', 'SUBMITTED') });
    book.observe(ALICE, statusUpdate('t1', 'WORKING'));
    await book.observe(ALICE, statusUpdate('t1', 'COMPLETED'));
    expect(await tasks.store.get('travel', 't1')).toMatchObject({ state: 'TASK_STATE_COMPLETED' });
    expect(book.observe(ALICE, statusUpdate('t1', 'WORKING'))).toBeUndefined();
    pass(5_000);
    expect(tasks.writes).toEqual(['t1 TASK_STATE_SUBMITTED', 't1 TASK_STATE_COMPLETED']);
  });

  it('counts a status with a later timestamp as a change, and a task read twice as none', async () => {
    const book = tasks.book();
    const read = task('t1', 'WORKING', { status: { state: 'TASK_STATE_WORKING', timestamp: '2026-11-22T00:00:00Z' } });
    await book.observe(ALICE, { task: read });
    pass(2_000);
    expect(book.observe(ALICE, read)).toBeUndefined();
    await book.observe(ALICE, statusUpdate('t1', 'WORKING', '2026-11-22T00:00:02Z'));
    expect((await book.owned('travel', 't1', 'alice')).updatedAt).toBe(tasks.time);
    const later = tasks.book();
    pass(2_000);
    await later.observe(ALICE, read);
    expect((await later.owned('travel', 't1', 'alice')).updatedAt).toBe(tasks.time - 2_000);
  });

  it('takes a conversation that is named later', async () => {
    const book = tasks.book();
    await book.observe(ALICE, { statusUpdate: { taskId: 't1', status: { state: 'TASK_STATE_WORKING' } } });
    pass(1_000);
    await book.observe(ALICE, artifactUpdate('t1'));
    expect(await tasks.store.get('travel', 't1')).toMatchObject({ context: 'context of t1', state: 'TASK_STATE_WORKING' });
  });

  it('stays the first owner’s when an agent gives an id twice', async () => {
    const book = tasks.book();
    await book.observe(ALICE, { task: task('t1', 'WORKING') });
    pass(5_000);
    for (const other of [book, tasks.book()]) {
      await other.observe(BOB, { task: task('t1', 'COMPLETED') });
      await expect(other.owned('travel', 't1', 'bob')).rejects.toMatchObject({ code: -32001 });
      expect(await other.owned('travel', 't1', 'alice')).toMatchObject({ ...ALICE, state: 'TASK_STATE_WORKING' });
    }
  });

  it('refuses a task that cannot be kept, but lets go on one that is', async () => {
    const book = tasks.book();
    tasks.failing = true;
    await expect(book.observe(ALICE, { task: task('t1', 'WORKING') })).rejects.toThrow('disk is full');
    tasks.failing = false;
    await book.observe(ALICE, { task: task('t1', 'WORKING') });
    tasks.failing = true;
    await book.observe(ALICE, statusUpdate('t1', 'COMPLETED'));
    expect(tasks.warnings).toMatchObject([{ message: 'the state of a task could not be stored' }]);
  });

  it('is kept without its content, which the store has', async () => {
    await tasks.store.put({
      ...ALICE,
      task: 't1',
      context: '',
      state: 'TASK_STATE_WORKING',
      updatedAt: tasks.time,
      content: { big: true },
    });
    const book = tasks.book();
    expect(await book.owned('travel', 't1', 'alice')).not.toHaveProperty('content');
    await book.observe(ALICE, statusUpdate('t1', 'COMPLETED'));
    expect(await tasks.store.get('travel', 't1')).toMatchObject({ state: 'TASK_STATE_COMPLETED', content: { big: true } });
  });
});

describe('whose a task is', () => {
  it('is told with the same words, after the same work, for one that is another’s and one that is none', async () => {
    const book = tasks.book();
    await book.observe(BOB, { task: task('t1', 'WORKING') });
    const asked = async (id: string): Promise<{ error: unknown; gets: number }> => {
      const before = tasks.gets.length;
      const error: unknown = await book.owned('travel', id, 'alice').catch((thrown: unknown) => thrown);
      return { error: JSON.parse(JSON.stringify(error).replaceAll(id, 'ID')), gets: tasks.gets.length - before };
    };
    const [foreign, unknown] = [await asked('t1'), await asked('tX')];
    expect(foreign).toEqual(unknown);
    expect(foreign).toMatchObject({ error: { code: -32001 }, gets: 1 });
    await expect(book.owned('travel', 't1', 'alice')).rejects.toThrow('Task not found: t1');
    await expect(book.owned('other', 't1', 'bob')).rejects.toThrow('Task not found: t1');
  });

  it('is told from memory for one’s own', async () => {
    const book = tasks.book();
    await book.observe(ALICE, { task: task('t1', 'WORKING') });
    const before = tasks.gets.length;
    for (let n = 0; n < 10; n += 1) await book.owned('travel', 't1', 'alice');
    expect(tasks.gets).toHaveLength(before);
  });

  it('is known to one who asks while it is being written', async () => {
    const book = tasks.book();
    const writing = book.observe(ALICE, { task: task('t1', 'WORKING') });
    expect(await book.owned('travel', 't1', 'alice')).toMatchObject({ task: 't1' });
    await writing;
  });
});

describe('whose a conversation is', () => {
  const said = (contextId: string): JsonObject => ({ message: { messageId: 'm', role: 'ROLE_AGENT', contextId } });

  it.each<[string, JsonObject]>([
    ['a message that answers', said('c')],
    ['a task', { task: task('t1', 'WORKING', { contextId: 'c' }) }],
    ['a task that is read', task('t1', 'WORKING', { contextId: 'c' })],
    ['a change of its state', { statusUpdate: { taskId: 't1', contextId: 'c', status: { state: 'TASK_STATE_WORKING' } } }],
    ['a piece of an artifact', { artifactUpdate: { taskId: 't1', contextId: 'c', artifact: {} } }],
  ])('is told by %s, over restarts, before the caller hears it', async (_, moved) => {
    const book = tasks.book();
    await book.observe(ALICE, moved);
    for (const one of [book, tasks.book()]) {
      expect(await one.claim('travel', 'c', 'alice')).toEqual({ instance: 'travel#2' });
      expect(await one.claim('travel', 'c', 'bob')).toBe('foreign');
      await one.observe(BOB, said('c'));
    }
    expect(await tasks.book().claim('travel', 'c', 'alice')).toEqual({ instance: 'travel#2' });
    expect(await tasks.book().claim('other', 'c', 'bob')).toEqual({});
  });

  it('is the first one’s who names it, also of two at the same moment', async () => {
    const [one, other] = [tasks.book(), tasks.book()];
    const claims = [one.claim('travel', 'c', 'alice'), one.claim('travel', 'c', 'bob'), other.claim('travel', 'c', 'carol')];
    expect((await Promise.all(claims)).filter((claim) => claim !== 'foreign')).toEqual([{}]);
    expect(await one.claim('travel', 'd', 'alice')).toEqual({});
    expect(await other.claim('travel', 'd', 'bob')).toBe('foreign');
    await one.observe(BOB, said('d'));
    expect(await one.claim('travel', 'd', 'bob')).toBe('foreign');
    await one.observe(ALICE, said('d'));
    expect(await one.claim('travel', 'd', 'alice')).toEqual({ instance: 'travel#2' });
  });

  it('has the instance that answers while it is claimed, and the claim of who comes while a write fails', async () => {
    const book = tasks.book();
    await Promise.all([book.claim('travel', 'c', 'alice'), book.observe(ALICE, said('c'))]);
    expect(await book.claim('travel', 'c', 'alice')).toEqual({ instance: 'travel#2' });
    tasks.failing = true;
    const failed = book.claim('travel', 'd', 'alice');
    tasks.failing = false;
    const after = book.claim('travel', 'd', 'bob');
    await expect(failed).rejects.toThrow('disk is full');
    expect(await after).toEqual({});
  });

  it('is refused where its name is too long to be a key', async () => {
    const book = tasks.book();
    await expect(book.claim('travel', 'c'.repeat(1_025), 'alice')).rejects.toMatchObject({ code: -32602 });
    expect(book.observe(ALICE, said('c'.repeat(1_025)))).toBeUndefined();
    expect(await book.claim('travel', 'c'.repeat(1_024), 'alice')).toEqual({});
  });

  it('moves with what is begun in it, and not with what is asked of older tasks', async () => {
    const book = tasks.book();
    const elsewhere = { ...ALICE, instance: 'travel' };
    await book.observe(ALICE, { task: task('t1', 'WORKING', { contextId: 'c' }) });
    await book.observe(elsewhere, { task: task('t2', 'WORKING', { contextId: 'c' }) });
    await book.observe(ALICE, task('t1', 'WORKING', { contextId: 'c' }));
    await book.observe(ALICE, { artifactUpdate: { taskId: 't1', contextId: 'c', artifact: {} } });
    expect(await book.claim('travel', 'c', 'alice')).toEqual({ instance: 'travel' });
    await book.observe(ALICE, said('c'));
    expect(await tasks.book().claim('travel', 'c', 'alice')).toEqual({ instance: 'travel#2' });
  });

  it('is written once for many messages, and again after an hour, so that what goes on is not forgotten', async () => {
    const book = tasks.book();
    await book.observe(ALICE, said('c'));
    for (let n = 0; n < 100; n += 1) expect(book.observe(ALICE, said('c'))).toBeUndefined();
    await book.claim('travel', 'c', 'alice');
    expect(tasks.contextWrites).toEqual(['c alice travel#2']);
    pass(3_600_000);
    await book.observe(ALICE, said('c'));
    pass(3_600_000);
    await book.claim('travel', 'c', 'alice');
    expect(tasks.contextWrites).toHaveLength(3);
    await tasks.store.forget(tasks.time);
    expect(await tasks.book().claim('travel', 'c', 'bob')).toBe('foreign');
  });

  it('is refused when it cannot be kept; one that is kept goes on', async () => {
    const book = tasks.book();
    tasks.failing = true;
    await expect(book.observe(ALICE, said('c'))).rejects.toThrow('disk is full');
    await expect(book.claim('travel', 'c', 'bob')).rejects.toThrow('disk is full');
    tasks.failing = false;
    await book.observe(ALICE, said('c'));
    tasks.failing = true;
    pass(3_600_000);
    await book.observe(ALICE, said('c'));
    expect(await book.claim('travel', 'c', 'bob')).toBe('foreign');
    expect(tasks.warnings).toMatchObject([{ message: 'a conversation with an agent could not be stored' }]);
  });

  it('is known though the memory is small', async () => {
    const book = tasks.book(1);
    const claims = [...Array(20).keys()].map((n) => book.claim('travel', `c${n}`, n % 2 === 0 ? 'alice' : 'bob'));
    expect(await Promise.all(claims)).toEqual(Array.from({ length: 20 }, () => ({})));
    for (let n = 0; n < 20; n += 1) expect(await book.claim('travel', `c${n}`, 'alice')).toEqual(n % 2 === 0 ? {} : 'foreign');
  });
});

describe('what is forgotten', () => {
  it('has not changed for 30 days', async () => {
    const book = tasks.book();
    await book.observe(ALICE, { task: task('old', 'WORKING') });
    await book.claim('travel', 'said of old', 'alice');
    pass(DAY);
    await book.observe(ALICE, { task: task('new', 'WORKING') });
    const forgotten = Promise.withResolvers<void>();
    const { forget } = tasks.store;
    vi.spyOn(tasks.store, 'forget').mockImplementation(async (before) => {
      await forget(before);
      if (before > Date.UTC(2026, 10, 22)) forgotten.resolve();
    });
    pass(29 * DAY + 2 * 3_600_000);
    await forgotten.promise;
    await expect(book.owned('travel', 'old', 'alice')).rejects.toMatchObject({ code: -32001 });
    expect(await book.owned('travel', 'new', 'alice')).toMatchObject({ task: 'new' });
    for (const context of ['context of old', 'said of old']) expect(await book.claim('travel', context, 'bob')).toEqual({});
    expect(await book.claim('travel', 'context of new', 'bob')).toBe('foreign');
  });

  it('is one that its instance does not know', async () => {
    const book = tasks.book();
    await book.observe(ALICE, { task: task('t1', 'SUBMITTED') });
    book.observe(ALICE, statusUpdate('t1', 'WORKING'));
    await book.forget('travel', 't1');
    pass(5_000);
    await expect(book.owned('travel', 't1', 'alice')).rejects.toMatchObject({ code: -32001 });
    expect(tasks.writes).toHaveLength(1);
  });
});

it('lists what is not written yet', async () => {
  const book = tasks.book();
  await book.observe(ALICE, { task: task('t1', 'SUBMITTED') });
  book.observe(ALICE, statusUpdate('t1', 'WORKING'));
  const { tasks: found } = await book.list({ agent: 'travel', owner: 'alice', state: 'TASK_STATE_WORKING', limit: 10 });
  expect(found.map(({ task }) => task)).toEqual(['t1']);
});

it('agrees with a simple model over any course of things, restarts and a small memory', async () => {
  const states = ['SUBMITTED', 'WORKING', 'INPUT_REQUIRED', 'COMPLETED', 'FAILED'];
  const step = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        id: fc.constantFrom('a', 'b', 'c', 'd'),
        who: fc.constantFrom(ALICE, BOB),
        state: fc.constantFrom(...states),
      }),
    },
    { weight: 1, arbitrary: fc.constant('restart' as const) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 1_500 }) },
  );
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const agent = `agent-${run++}`;
      const model = new Map<string, { owner: string; instance: string; state: string }>();
      let book = tasks.book(2);
      for (const one of steps) {
        if (one === 'restart') {
          await book.close();
          book = tasks.book(2);
        } else if (typeof one === 'number') pass(one);
        else {
          const { id, who, state } = one;
          const name = `TASK_STATE_${state}`;
          await book.observe({ ...who, agent }, statusUpdate(id, state));
          const known = model.get(id);
          if (known === undefined) model.set(id, { owner: who.owner, instance: who.instance, state: name });
          else if (known.owner === who.owner && !ENDED_STATES.has(known.state)) known.state = name;
          const { owner } = model.get(id)!;
          expect(await book.owned(agent, id, owner)).toMatchObject(model.get(id)!);
          await expect(book.owned(agent, id, owner === 'alice' ? 'bob' : 'alice')).rejects.toMatchObject({ code: -32001 });
        }
      }
      await book.close();
      for (const [id, known] of model) expect(await tasks.store.get(agent, id)).toMatchObject(known);
    }),
    { numRuns: 100 },
  );
});
