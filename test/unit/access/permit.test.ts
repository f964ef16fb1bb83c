import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PermitTool } from '../../../src/access/patterns.ts';
import { checkCall, compileAccess } from '../../../src/access/permit.ts';
import type { AccessRule } from '../../../src/config/types.ts';
import type { ConditionContext } from '../../../src/core/conditions.ts';
import type { Consumer } from '../../../src/core/consumer.ts';
import { ANONYMOUS } from '../../../src/core/consumer.ts';
import { RISKS } from '../../../src/core/tools.ts';

const alice: Consumer = { name: 'alice', groups: ['support'], anonymous: false };
const bob: Consumer = { name: 'bob', groups: ['interns', 'eu'], anonymous: false };

function tool(name: string, extra: Partial<PermitTool> & { annotations?: Record<string, unknown> } = {}): PermitTool {
  const { annotations, ...rest } = extra;
  return { name, definition: { name, inputSchema: {}, ...(annotations ? { annotations } : {}) }, risk: 'read', tags: [], ...rest };
}

const visible = (rules: AccessRule[] | undefined, consumer: Consumer, subject: PermitTool): boolean =>
  compileAccess(rules).tool(consumer, subject).visible;

const call = (consumer: Consumer, args: Record<string, unknown>): ConditionContext => ({
  consumer,
  request: { headers: {}, ip: '127.0.0.1', time: new Date(0) },
  call: { lane: 'tools', route: 'support', operation: 'tools/call', size: 1 },
  args,
});

describe('compileAccess', () => {
  it('is open to everybody when there is no list, and to nobody when it is empty', () => {
    for (const consumer of [alice, bob, ANONYMOUS]) {
      expect(visible(undefined, consumer, tool('x'))).toBe(true);
      expect(compileAccess(undefined).resource(consumer, 'file:///x')).toBe(true);
      expect(compileAccess(undefined).prompt(consumer, 'x')).toBe(true);
      expect(visible([], consumer, tool('x'))).toBe(false);
      expect(visible([{ groups: ['support'] }], consumer, tool('x'))).toBe(false);
    }
  });

  it('does what DESIGN 2.3 shows', () => {
    const rules: AccessRule[] = [
      { groups: ['support'], allow: ['*'] },
      { groups: ['interns'], allow: ['find*'], deny: [{ risk: 'write' }] },
      { groups: ['partners'], allow: [{ tool: 'list_issues', when: 'args.repo == "public-site"' }] },
    ];
    const partner: Consumer = { name: 'p', groups: ['partners'], anonymous: false };
    expect(visible(rules, alice, tool('delete_pet', { risk: 'destructive' }))).toBe(true);
    expect(visible(rules, bob, tool('findPets'))).toBe(true);
    expect(visible(rules, bob, tool('find_and_replace', { risk: 'write' }))).toBe(false);
    expect(visible(rules, bob, tool('find_and_drop', { risk: 'destructive' }))).toBe(false);
    expect(visible(rules, bob, tool('getPet'))).toBe(false);
    expect(visible(rules, partner, tool('get_issue'))).toBe(false);
    expect(visible(rules, ANONYMOUS, tool('findPets'))).toBe(false);
    const { visible: shown, conditions } = compileAccess(rules).tool(partner, tool('list_issues'));
    expect(shown).toBe(true);
    expect(checkCall(conditions, call(partner, { repo: 'public-site' }))).toEqual({ ok: true });
    for (const args of [{ repo: 'secret' }, {}, { repo: ['public-site'] }, { repo: null }]) {
      expect(checkCall(conditions, call(partner, args))).toEqual({
        ok: false,
        rule: 'access rule 3, allow { tool: list_issues } when args.repo == "public-site"',
      });
    }
  });

  it('knows callers by group or name, and never the anonymous one by either', () => {
    const rule = (callers: object): AccessRule[] => [{ ...callers, allow: ['*'] }];
    expect(visible(rule({ consumers: ['al*'] }), alice, tool('x'))).toBe(true);
    expect(visible(rule({ consumers: ['al'] }), alice, tool('x'))).toBe(false);
    expect(visible(rule({ groups: ['eu'], consumers: ['alice'] }), alice, tool('x'))).toBe(true);
    expect(visible(rule({ groups: ['eu'], consumers: ['alice'] }), bob, tool('x'))).toBe(true);
    expect(visible(rule({ groups: [], consumers: [] }), alice, tool('x'))).toBe(false);
    expect(visible(rule({ groups: ['*'] }), alice, tool('x'))).toBe(false);
    expect(visible(rule({ consumers: ['*'] }), ANONYMOUS, tool('x'))).toBe(false);
    expect(visible(rule({ consumers: ['anonymous'] }), ANONYMOUS, tool('x'))).toBe(false);
    expect(visible(rule({}), ANONYMOUS, tool('x'))).toBe(true);
    const odd: Consumer = { name: '__proto__', groups: ['constructor'], anonymous: false };
    expect(visible(rule({ groups: ['toString'] }), odd, tool('x'))).toBe(false);
  });

  it('reads a risk upwards in deny and downwards in allow', () => {
    for (const [at, risk] of RISKS.entries()) {
      for (const [named, word] of RISKS.entries()) {
        expect(visible([{ allow: [{ risk: word }] }], alice, tool('x', { risk })), `${risk} allow ${word}`).toBe(at <= named);
        expect(visible([{ allow: ['*'], deny: [{ risk: word }] }], alice, tool('x', { risk })), `${risk} deny ${word}`).toBe(at < named);
      }
    }
  });

  it.each([
    [{ tag: 'iss*' }, true],
    [{ tag: 'pets' }, false],
    [{ method: 'get' }, true],
    [{ method: 'POST' }, false],
    [{ path: '/repos/*' }, true],
    [{ path: '/orgs/*' }, false],
    [{ annotation: { readOnlyHint: true } }, true],
    [{ annotation: { readOnlyHint: true, title: 'Issues' } }, true],
    [{ annotation: { readOnlyHint: true, idempotentHint: true } }, false],
    [{ annotation: { constructor: true } }, false],
    [{ tool: 'list*', tag: 'issues', method: 'GET', risk: 'read' }, true],
    [{ tool: 'list*', tag: 'issues', method: 'GET', path: '/x' }, false],
    [{ resource: '*' }, false],
    [{ prompt: '*' }, false],
    [{ tool: '*', resource: '*' }, false],
  ] as const)('%j matches: %s', (pattern, expected) => {
    const subject = tool('list_issues', {
      tags: ['issues', 'list'],
      operation: { method: 'GET', path: '/repos/{owner}/issues' },
      annotations: { readOnlyHint: true, title: 'Issues' },
    });
    expect(visible([{ allow: [pattern] }], alice, subject)).toBe(expected);
    expect(visible([{ allow: ['*'], deny: [pattern] }], alice, subject)).toBe(!expected);
  });

  it('matches no method or path of a tool that has none', () => {
    expect(visible([{ allow: [{ method: '*' }] }], alice, tool('x'))).toBe(false);
    expect(visible([{ allow: [{ path: '*' }] }], alice, tool('x'))).toBe(false);
  });

  it('hides resources and prompts unless they are named', () => {
    const access = compileAccess([
      {
        allow: ['*', { resource: 'file:///docs/*' }, { prompt: 'review*' }],
        deny: [{ resource: '*/secret/*' }, { prompt: 'review_all', when: 'true' }],
      },
      {
        allow: [
          { resource: 'mem://*', when: 'consumer.name == "alice"' },
          { resource: 'both://*', prompt: '*' },
        ],
      },
    ]);
    expect(access.resource(alice, 'file:///docs/a/b.md')).toBe(true);
    expect(access.resource(alice, 'file:///docs/secret/b.md')).toBe(false);
    expect(access.resource(alice, 'file:///etc/passwd')).toBe(false);
    expect(access.resource(alice, 'mem://x')).toBe(false);
    expect(access.resource(alice, 'both://x')).toBe(false);
    expect(access.prompt(alice, 'review_one')).toBe(true);
    expect(access.prompt(alice, 'review_all')).toBe(false);
    expect(access.prompt(alice, 'other')).toBe(false);
  });
});

describe('conditions', () => {
  it('never hide a tool, and are asked only when no other rule allows it', () => {
    const cases: [AccessRule[], boolean, string[]][] = [
      [[{ allow: ['x'], when: 'false' }], true, ['allow']],
      [[{ allow: ['x'], when: 'false' }, { allow: ['*'] }], true, []],
      [[{ allow: ['*'], deny: [{ tool: 'x', when: 'true' }] }], true, ['deny']],
      [[{ allow: ['*'] }, { deny: ['x'], when: 'true' }], true, ['deny']],
      [[{ deny: [{ tool: 'x', when: 'true' }] }], false, []],
      [[{ allow: ['x'], when: 'true' }, { deny: ['x'] }], false, []],
      [[{ allow: [{ when: 'true' }] }], true, ['allow']],
    ];
    for (const [rules, shown, effects] of cases) {
      const permission = compileAccess(rules).tool(alice, tool('x'));
      expect(permission.visible).toBe(shown);
      expect(permission.conditions.map((one) => one.effect)).toEqual(effects);
    }
  });

  it('allow when one of them holds, and refuse when one that denies does', () => {
    const { conditions } = compileAccess([
      {
        allow: [
          { tool: 'x', when: 'args.a == 1' },
          { tool: '*', when: 'args.b == 1' },
        ],
      },
      { deny: ['x'], when: 'args.c == 1' },
    ]).tool(alice, tool('x'));
    const ask = (args: Record<string, unknown>): string | true => {
      const answer = checkCall(conditions, call(alice, args));
      return answer.ok || answer.rule;
    };
    expect(ask({ a: 1 })).toBe(true);
    expect(ask({ b: 1 })).toBe(true);
    expect(ask({})).toBe('access rule 1, allow { tool: x } when args.a == 1 or access rule 1, allow { tool: * } when args.b == 1');
    expect(ask({ a: 1, c: 1 })).toBe('access rule 2, deny "x" when args.c == 1');
    expect(ask({ a: 1, c: 2 })).toBe(true);
  });

  it('of rule and entry must both hold', () => {
    const { conditions } = compileAccess([{ when: 'args.a == 1', allow: [{ tool: 'x', when: 'args.b == 1' }] }]).tool(alice, tool('x'));
    expect(checkCall(conditions, call(alice, { a: 1, b: 1 })).ok).toBe(true);
    expect(checkCall(conditions, call(alice, { a: 1 })).ok).toBe(false);
    expect(checkCall(conditions, call(alice, { b: 1 })).ok).toBe(false);
  });

  it('that cannot be answered count against the call', () => {
    const { conditions } = compileAccess([{ allow: ['*'], deny: [{ tool: 'x', when: 'args.path.startsWith("/etc")' }] }]).tool(
      alice,
      tool('x'),
    );
    expect(checkCall(conditions, call(alice, { path: '/srv' })).ok).toBe(true);
    expect(checkCall(conditions, call(alice, {})).ok).toBe(true);
    expect(checkCall(conditions, call(alice, { path: '/etc/passwd' })).ok).toBe(false);
    expect(checkCall(conditions, call(alice, { path: ['/etc/passwd'] })).ok).toBe(false);
    expect(checkCall(conditions, call(alice, { path: '/etc/passwd', constructor: {} })).ok).toBe(false);
  });
});

describe('explain', () => {
  it('names every rule, its place and the outcome', () => {
    const rules: AccessRule[] = [
      { groups: ['nobody'], allow: ['*'] },
      { allow: ['find*', 'get*', { tool: 'find*', when: 'args.a == 1' }], deny: [{ risk: 'write' }, { tag: 'beta', when: 'true' }] },
    ];
    const access = compileAccess(rules, (pointer) =>
      pointer === '/1/allow/1' ? { file: 'virtual-servers/support.yaml', line: 12 } : undefined,
    );
    expect(access.explain(alice, tool('getPet', { tags: ['beta'] }))).toEqual([
      { rule: 'access rule 1: not for alice', effect: 'info', value: false },
      { rule: 'access rule 2, allow "find*"', effect: 'info', value: false },
      { rule: 'access rule 2, allow "get*"', effect: 'shows', value: true, file: 'virtual-servers/support.yaml', line: 12 },
      { rule: 'access rule 2, allow { tool: find* } when args.a == 1', effect: 'info', value: false },
      { rule: 'access rule 2, deny { risk: write }', effect: 'info', value: false },
      { rule: 'access rule 2, deny { tag: beta } when true', effect: 'refuses', value: 'asked at each call' },
      { rule: 'visible; rules with a condition decide about each call', effect: 'shows' },
    ]);
    expect(compileAccess(undefined).explain(alice, tool('x'))).toEqual([
      { rule: 'no access list: every caller may use it', effect: 'shows' },
    ]);
  });
});

const names = fc.constantFrom('find*', 'find_pets', 'get?pet', '*', '*pet*', 'delete_pet');
const pattern = fc.oneof(
  names,
  fc.record(
    {
      tool: names,
      risk: fc.constantFrom(...RISKS),
      tag: fc.constantFrom('a', 'b*'),
      method: fc.constantFrom('GET', 'p*'),
      when: fc.constantFrom('true', 'false', 'args.x == 1'),
      resource: fc.constant('*'),
    },
    { requiredKeys: [] },
  ),
);
const rule = fc.record(
  {
    groups: fc.subarray(['support', 'interns', 'eu']),
    consumers: fc.subarray(['alice', 'b*']),
    allow: fc.array(pattern, { maxLength: 3 }),
    deny: fc.array(pattern, { maxLength: 2 }),
    when: fc.constantFrom('true', 'args.y == 1'),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<AccessRule>;
const subject = fc
  .record({
    name: fc.constantFrom('find_pets', 'get_pet', 'delete_pet', 'add_pets'),
    risk: fc.constantFrom(...RISKS),
    tags: fc.subarray(['a', 'bb']),
    operation: fc.option(fc.record({ method: fc.constantFrom('GET', 'PUT'), path: fc.constant('/pets') }), { nil: undefined }),
  })
  .map(({ name, operation, ...rest }) => tool(name, { ...rest, ...(operation ? { operation } : {}) }));
const consumer = fc.constantFrom(alice, bob, ANONYMOUS);
const args = fc.record({ x: fc.constantFrom(1, 2), y: fc.constantFrom(1, 2) }, { requiredKeys: [] });

describe('for any rules', () => {
  const outcome = (rules: AccessRule[], who: Consumer, what: PermitTool, given: Record<string, unknown>): [boolean, boolean] => {
    const { visible: shown, conditions } = compileAccess(rules).tool(who, what);
    return [shown, shown && checkCall(conditions, call(who, given)).ok];
  };

  it('the order means nothing', () => {
    const shuffled = fc
      .array(rule, { maxLength: 4 })
      .chain((rules) => fc.tuple(fc.constant(rules), fc.shuffledSubarray(rules, { minLength: rules.length })));
    fc.assert(
      fc.property(shuffled, consumer, subject, args, ([rules, other], who, what, given) => {
        expect(outcome(other, who, what, given)).toEqual(outcome(rules, who, what, given));
      }),
      { numRuns: 500 },
    );
  });

  it('explain ends with what tool() says', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 4 }), consumer, subject, (rules, who, what) => {
        const access = compileAccess(rules);
        const steps = access.explain(who, what);
        const { visible: shown } = access.tool(who, what);
        expect(steps.at(-1)?.effect).toBe(shown ? 'shows' : 'hides');
        const effects = new Set(steps.slice(0, -1).map((step) => step.effect));
        expect((effects.has('shows') || effects.has('allows')) && !effects.has('hides')).toBe(shown);
      }),
      { numRuns: 500 },
    );
  });

  it('one more deny never opens and one more allow never closes', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 3 }), rule, consumer, subject, args, (rules, more, who, what, given) => {
        const { deny, allow, ...callers } = more;
        const [shown, ok] = outcome(rules, who, what, given);
        const [shownLess, okLess] = outcome([...rules, { ...callers, ...(deny ? { deny } : {}) }], who, what, given);
        const [shownMore, okMore] = outcome([...rules, { ...callers, ...(allow ? { allow } : {}) }], who, what, given);
        expect([shownLess && !shown, okLess && !ok, shown && !shownMore, ok && !okMore]).toEqual([false, false, false, false]);
      }),
      { numRuns: 500 },
    );
  });
});
