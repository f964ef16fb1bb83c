import { describe, expect, it, vi } from 'vitest';
import { compileCondition } from '../../../src/core/conditions.ts';
import { conditionContext, type Questioned } from '../../../src/pipeline/condition-context.ts';
import { toolCall } from './live-calls.ts';

const asked: Questioned = {
  lane: 'models',
  operation: 'chat',
  route: 'support',
  consumer: { name: 'alice', groups: ['staff'], anonymous: false },
  request: { headers: { 'x-tier': 'gold' }, ip: '192.0.2.7', size: 1_234 },
  startedAt: Date.UTC(2026, 10, 21, 8, 30),
  model: 'gpt-5',
  segments: () => [{ text: 'You are kind.' }, { text: 'Where is my invoice?' }],
};
const holds = (text: string, more: Partial<Questioned> = {}): boolean =>
  compileCondition(text).evaluate(conditionContext({ ...asked, ...more }));

describe('an expression', () => {
  it.each([
    'consumer.name == "alice" && "staff" in consumer.groups',
    'request.headers["x-tier"] == "gold" && request.ip == "192.0.2.7"',
    'request.time.getHours() == 8 && request.time.getMinutes() == 30 && request.time.getDayOfWeek() == 6',
    'call.lane == "models" && call.operation == "chat" && call.route == "support" && call.model == "gpt-5" && call.size == 1234.0',
    'call.text == "You are kind.\\nWhere is my invoice?"',
    'call.text.contains("invoice")',
  ])('has the values of the call: %s', (text) => expect(holds(text)).toBe(true));

  it.each(['call.model == "gpt-5"', 'request.headers["x-none"] == "gold"', 'tool.name == "x"', 'args.a == 1'])(
    'that asks for what is not there does not hold: %s',
    (text) => {
      const { model: _, ...nameless } = asked;
      expect(compileCondition(text).evaluate(conditionContext(nameless))).toBe(false);
    },
  );

  it('has texts put together only when it asks for them', () => {
    const segments = vi.fn(() => [{ text: 'a' }]);
    const context = conditionContext({ ...asked, segments });
    expect(compileCondition('call.size > 10.0').evaluate(context)).toBe(true);
    expect(segments).not.toHaveBeenCalled();
    expect(compileCondition('call.text == "a"').evaluate(context)).toBe(true);
    expect(segments).toHaveBeenCalled();
  });

  it('about a tool has the tool and its arguments, and the texts of these', () => {
    const tool = { name: 'find', source: 'pets', risk: 'read', tags: ['animals'], annotations: { readOnlyHint: true } } as const;
    const context = conditionContext(toolCall(), { tool, args: { limit: 3 } });
    for (const text of [
      'tool.source == "pets" && args.limit == 3',
      'call.text == "hello" && call.lane == "tools"',
      'tool.annotations.readOnlyHint',
    ])
      expect({ [text]: compileCondition(text).evaluate(context) }).toEqual({ [text]: true });
  });
});
