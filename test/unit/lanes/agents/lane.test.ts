import { describe, expect, it, vi } from 'vitest';
import type { AgentConfig } from '../../../../src/config/types.ts';
import type { TaskRecord, TaskStore } from '../../../../src/core/contracts/store.ts';
import { LENT, mergedOf, messageTo, startAgents } from './start-agents.ts';

const APP: Readonly<Record<string, AgentConfig>> = { app: { rest: { url: 'http://app.test', request: { body: { q: '${text}' } } } } };
const LEFT = {
  agent: 'app',
  instance: 'app',
  task: 't1',
  context: 'c1',
  owner: 'alice',
  state: 'TASK_STATE_WORKING',
  updatedAt: 1,
  content: { task: { id: 't1', contextId: 'c1', status: { state: 'TASK_STATE_WORKING' } }, memo: {} },
};

describe('tasks of HTTP applications', () => {
  it('are left alone by a configuration that is built and does not serve', async () => {
    let unfinished: string[] = [];
    const store = (inner: TaskStore): TaskStore =>
      Object.create(inner, {
        unfinished: { value: (agent: string) => (unfinished.push(agent), inner.unfinished(agent)) },
      }) as TaskStore;
    const started = await startAgents({ agents: {}, store });
    await started.store.put(LEFT);
    const candidate = await started.lane.build(mergedOf(APP), LENT, [], () => undefined);
    await Promise.all([...candidate.sources.values()].map(({ source }) => source.refresh()));
    await started.lane.release(candidate);
    expect([unfinished, (await started.store.get('app', 't1'))?.state]).toEqual([[], 'TASK_STATE_WORKING']);
    await started.serve(APP);
    await vi.waitFor(async () => expect((await started.store.get('app', 't1'))?.state).toBe('TASK_STATE_FAILED'));
    unfinished = [];
    await started.serve(APP);
    expect(unfinished).toEqual([]);
  });

  it('are stored before the lane is closed', async () => {
    const disk = Promise.withResolvers<void>();
    const stored: string[] = [];
    const store = (inner: TaskStore): TaskStore =>
      Object.create(inner, {
        put: {
          value: async (record: TaskRecord) => {
            // The book of the lane has no content to keep.
            if (record.content !== undefined) await disk.promise;
            await inner.put(record);
            if (record.content !== undefined) stored.push(record.state);
          },
        },
      }) as TaskStore;
    const { lane, rpc } = await startAgents({ agents: APP, store });
    const { json } = await rpc('SendMessage', messageTo(), { agent: 'app' });
    expect(json.result).toMatchObject({ task: { status: { state: 'TASK_STATE_COMPLETED' } } });
    const closing = lane.close().then(() => stored.push('closed'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(stored).toEqual([]);
    disk.resolve();
    await closing;
    expect(stored).toEqual(['TASK_STATE_WORKING', 'TASK_STATE_COMPLETED', 'closed']);
  });
});
