import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { skillTools, taskTools } from '../../../../../src/lanes/agents/tools/skill-tools.ts';

const namesOf = (ids: readonly string[], agent = 'travel') =>
  new Map([...skillTools({ skills: ids.map((id) => ({ id })) }, agent)].map(([name, { skill }]) => [skill, name]));

describe('tools of an agent card', () => {
  it('describe the skill with its examples and tags', () => {
    const skill = { id: 'route.plan', name: 'Plan a route', description: 'Finds a way.', examples: ['to "Rome"', 7], tags: ['maps', ''] };
    const tools = skillTools({ skills: [skill] }, 'travel');
    expect([...tools.keys()]).toEqual(['route_plan']);
    expect(tools.get('route_plan')?.tool).toMatchObject({
      risk: 'write',
      tags: ['maps'],
      definition: {
        name: 'route_plan',
        title: 'Plan a route',
        description: 'Finds a way.\nExamples of a message: "to \\"Rome\\"".\nTags: maps.',
        annotations: { readOnlyHint: false, openWorldHint: true },
      },
    });
  });

  it('have schemas that are valid, and take what the tools take', () => {
    const ajv = new Ajv2020({ strict: true });
    for (const { tool } of skillTools({ skills: [{ id: 'a' }] }, 'travel').values()) {
      const check = ajv.compile(tool.definition.inputSchema);
      expect([check({ message: 'x', data: {}, task_id: 't', context_id: 'c' }), check({}), check({ message: 'x', more: 1 })]).toEqual([
        true,
        false,
        false,
      ]);
    }
    for (const { definition } of taskTools(50)) expect(ajv.compile(definition.inputSchema)({ task_id: 't' })).toBe(true);
  });

  it('are one, for the whole agent, when the card names no skill', () => {
    for (const skills of [[], undefined, [{ name: 'without id' }, null]]) {
      const tools = skillTools({ name: 'Travel', description: 'Books trips.', skills }, 'travel');
      expect([...tools]).toMatchObject([
        ['send_message', { skill: undefined, tool: { definition: { title: 'Travel', description: 'Books trips.' } } }],
      ]);
    }
  });

  it('give way to the tools for tasks and to each other by a hash of the id, whatever the order', () => {
    expect(namesOf(['get_task']).get('get_task')).toMatch(/^get_task_[0-9a-f]{6}$/);
    const ids = ['Plan', 'plan', 'plan trip', 'plan_trip', '飞行', '9 lives'];
    const names = namesOf(ids);
    expect([...names.values()]).toEqual([
      'Plan',
      expect.stringMatching(/^plan_[0-9a-f]{6}$/),
      expect.stringMatching(/^plan_trip_[0-9a-f]{6}$/),
      'plan_trip',
      expect.stringMatching(/^skill_[0-9a-f]{6}$/),
      'skill_9_lives',
    ]);
    expect(new Map([...namesOf(ids.toReversed())].toReversed())).toEqual(names);
  });

  it('have legal, distinct names that fit with the prefix of their agent, for any ids', () => {
    const ids = fc.uniqueArray(
      fc.oneof(fc.string({ minLength: 1, maxLength: 80 }), fc.constantFrom('a', 'A', 'a.', 'cancel_task', 'CANCEL_TASK')),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(ids, fc.stringMatching(/^[a-z][a-z0-9-]{0,23}$/), (some, agent) => {
        const names = [...namesOf(some, agent).values()];
        const all = [...names, 'get_task', 'cancel_task'].map((name) => name.toLowerCase());
        expect(new Set(all).size).toBe(all.length);
        for (const name of names) expect(`${agent}_${name}`).toMatch(/^[A-Za-z][A-Za-z0-9_-]{0,47}$/);
        if (some.length > 0) expect(namesOf(some.toReversed(), agent)).toEqual(new Map(namesOf(some, agent)));
      }),
    );
  });
});
