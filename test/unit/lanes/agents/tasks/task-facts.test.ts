import { describe, expect, it } from 'vitest';
import { taskFacts, taskOf, timeOf } from '../../../../../src/lanes/agents/tasks/task-facts.ts';

const STATUS = { state: 'TASK_STATE_WORKING', timestamp: '2026-11-22T00:00:00Z' };

describe('what is said of a task', () => {
  it.each([
    ['a Task', { id: 't', contextId: 'c', status: STATUS }, false],
    ['a SendMessageResponse', { task: { id: 't', contextId: 'c', status: STATUS } }, false],
    ['a statusUpdate', { statusUpdate: { taskId: 't', contextId: 'c', status: STATUS } }, true],
  ])('is found in %s', (_, moved, isUpdate) => {
    expect(taskFacts(moved)).toEqual({ task: 't', context: 'c', state: 'TASK_STATE_WORKING', timestamp: STATUS.timestamp, isUpdate });
  });

  it('has no state in an artifactUpdate', () => {
    const facts = { task: 't', context: '', state: undefined, timestamp: undefined, isUpdate: true };
    expect(taskFacts({ artifactUpdate: { taskId: 't', artifact: {} } })).toEqual(facts);
  });

  it.each([
    [{}],
    [{ message: { messageId: 'm', taskId: 't' } }],
    [{ task: null }],
    [{ task: 'x' }],
    [{ id: 7 }],
    [{ statusUpdate: { taskId: '' } }],
    [{ statusUpdate: 3 }],
  ])('is nothing in %j', (moved) => {
    expect(taskFacts(moved)).toBeUndefined();
  });

  it('names the task of a message, for notifications', () => {
    expect(taskOf({ message: { messageId: 'm', taskId: 't' } })).toBe('t');
    expect(taskOf({ message: { messageId: 'm' } })).toBeUndefined();
    expect(taskOf({ artifactUpdate: { taskId: 't' } })).toBe('t');
  });

  it('reads times', () => {
    expect(timeOf('2026-11-22T01:00:00+01:00')).toBe(Date.UTC(2026, 10, 22));
    expect([timeOf('soon'), timeOf(7), timeOf(undefined)]).toEqual([undefined, undefined, undefined]);
  });
});
