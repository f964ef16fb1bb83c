import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { compileCondition, compileGlob, ConditionError, type ConditionContext } from '../../../src/core/conditions.ts';

function context(args: Record<string, unknown> = {}, extra: Partial<ConditionContext> = {}): ConditionContext {
  return {
    consumer: { name: 'alice', groups: ['support', 'eu'] },
    request: { headers: { 'x-team': 'blue' }, ip: '127.0.0.1', time: new Date('2026-11-21T12:00:00Z') },
    call: { lane: 'tools', route: 'support', operation: 'tools/call', size: 120 },
    tool: { name: 'list_issues', source: 'github', risk: 'read', tags: ['issues'], annotations: { readOnlyHint: true } },
    args,
    ...extra,
  };
}

function problem(text: string): ConditionError {
  try {
    compileCondition(text);
  } catch (error) {
    expect(error).toBeInstanceOf(ConditionError);
    return error as ConditionError;
  }
  throw new Error(`"${text}" compiled`);
}

describe('compileCondition', () => {
  it.each([
    ['args.repo == "public-site"', { repo: 'public-site' }, true],
    ['args.repo == "public-site"', { repo: 'secret' }, false],
    ['args.count > 4 && args.count <= 5.5', { count: 5 }, true],
    ['"x" in args.labels', { labels: ['x', 'y'] }, true],
    ['args.labels.all(l, l.startsWith("x"))', { labels: ['x1', 'y'] }, false],
    ['args.owner.login == "me"', { owner: { login: 'me' } }, true],
    ['"support" in consumer.groups', {}, true],
    ['consumer.name == "bob"', {}, false],
    ['request.headers["x-team"] == "blue"', {}, true],
    ['request.ip == "127.0.0.1" && request.time.getHours("UTC") == 12', {}, true],
    ['request.time < timestamp("2027-01-01T00:00:00Z")', {}, true],
    ['call.lane == "tools" && call.size < 1000 && call.operation == "tools/call" && call.route == "support"', {}, true],
    ['tool.risk == "read" && "issues" in tool.tags && tool.annotations.readOnlyHint', {}, true],
    ['args.confirmed', { confirmed: true }, true],
    ['args.confirmed', { confirmed: 'true' }, false],
    ['args.name.matches("^[a-z]+$")', { name: 'abc' }, true],
    ['args.names.exists(n, n.matches("^b"))', { names: ['a', 'b'] }, true],
  ])('%s over %j is %s', (text, args, expected) => {
    expect(compileCondition(text).evaluate(context(args))).toBe(expected);
  });

  it('asks about the texts of a call, where they are there', () => {
    const call = { ...context().call, text: 'You are kind.\nWhere is my invoice?' };
    const holds = (text: string, of = call): boolean => compileCondition(text).evaluate(context({}, { call: of }));
    expect(holds('call.text.contains("invoice") && call.text.size() > 20')).toBe(true);
    expect(holds('call.text.matches("(?i)INVOICE")')).toBe(true);
    expect(holds('call.text.contains("bill")')).toBe(false);
    expect(compileCondition('call.text != "x"').evaluate(context(), true), 'it is not there').toBe(false);
    expect(problem('call.text > 5').message).toMatch(/no such overload/);
    // Nobody waits for an expression: beyond this length it is broken, which a rule that refuses takes for a yes.
    const long = { ...call, text: 'x'.repeat(70_000) };
    expect(compileCondition('call.text.matches("y")').evaluate(context({}, { call: long }), true)).toBe(true);
  });

  it('does not hold when an argument is missing, whatever is asked of it', () => {
    for (const text of [
      'args.repo == "x"',
      'args.repo != "x"',
      '!(args.repo == "x")',
      'args.repo.deep.er == 1',
      'args["repo"] != 1',
      'args.list[3] == 1',
    ]) {
      expect(compileCondition(text).evaluate(context({ list: [] }), true), text).toBe(false);
    }
    expect(compileCondition('!has(args.repo) || args.repo != "x"').evaluate(context())).toBe(true);
    expect(compileCondition('call.model == "gpt"').evaluate(context(), true)).toBe(false);
    const bare = { consumer: context().consumer, request: context().request, call: context().call };
    expect(compileCondition('args.repo == "x"').evaluate(bare, true)).toBe(false);
    expect(compileCondition('tool.risk == "read"').evaluate(bare, true)).toBe(false);
  });

  it('leaves the answer to the rule when the values make no sense', () => {
    const condition = compileCondition('args.path.startsWith("/etc")');
    for (const path of [['/etc/passwd'], 1, null, { startsWith: true }]) {
      expect(condition.evaluate(context({ path }))).toBe(false);
      expect(condition.evaluate(context({ path }), true)).toBe(true);
    }
    // An argument that makes the record look like no record at all.
    expect(compileCondition('args.path == "/etc"').evaluate(context({ path: '/etc', constructor: 1 }), true)).toBe(true);
  });

  it('sees no inherited property', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(compileCondition(`has(args.${name})`).evaluate(context()), name).toBe(false);
      expect(compileCondition(`args["${name}"] != 1`).evaluate(context()), name).toBe(false);
    }
  });

  it.each([
    ['foo == 1', /Unknown variable: foo/, 1],
    ['true && consumer.grups == 1', /No such key: grups/, 18],
    ['consumer.name + 1 == "a"', /no such overload/, 1],
    ['args.a == ', /Unexpected token/, 11],
    ['args.n + 1', /gives 'int'|no such overload|true or false/, 1],
    ['consumer.name', /true or false, this one gives 'string'/, 1],
    ['nothing(args.a)', /nothing/, 1],
    ['args.a.matches(args.b)', /pattern as a literal/, 16],
    ['args.a.matches("(")', /RE2 patterns.*missing closing/, 16],
    ['args.a.matches("(?=a)")', /RE2 patterns/, 16],
    ['consumer.groups.matches("a")', /asked of a text/, 1],
    ['', /Unexpected token/, 1],
    ['('.repeat(200) + 'true' + ')'.repeat(200), /maxDepth/i, 51],
    ['true || '.repeat(2000) + 'true', /8192/, 1],
  ])('refuses %s', (text, message, column) => {
    const error = problem(text);
    expect(error.message).toMatch(message);
    expect(error.column).toBe(column);
    expect(error.text).toBe(text);
  });

  it('runs patterns in linear time', () => {
    const condition = compileCondition('args.a.matches("^(a+)+$")');
    const began = performance.now();
    expect(condition.evaluate(context({ a: `${'a'.repeat(20_000)}b` }))).toBe(false);
    expect(performance.now() - began).toBeLessThan(1000);
    expect(condition.evaluate(context({ a: 'a'.repeat(70_000) }))).toBe(false);
    expect(condition.evaluate(context({ a: 'a'.repeat(70_000) }), true)).toBe(true);
  });
});

describe('compileGlob', () => {
  it.each([
    ['*', '', true],
    ['*', 'any/thing', true],
    ['find*', 'findPets', true],
    ['find*', 'afind', false],
    ['*Pets', 'findPets', true],
    ['f*d*s', 'findPets', true],
    ['f*d*s', 'findPet', false],
    ['get_?', 'get_1', true],
    ['get_?', 'get_', false],
    ['list_issues', 'list_issues', true],
    ['list_issues', 'list_issue', false],
    ['file:///docs/*', 'file:///docs/a/b.md', true],
    ['*.hidden', '.hidden', true],
    ['{a,b}', 'a', false],
    ['{a,b}', '{a,b}', true],
    ['@(a|b)', 'a', false],
    ['!a', 'b', false],
    ['!a', '!a', true],
    ['[ab]*', 'a', false],
    ['[ab]*', '[ab]c', true],
    ['a\\*', 'a*', false],
    ['a/**/b', 'a/x/b', true],
    ['', '', true],
    ['', 'a', false],
  ])('%s over %s is %s', (pattern, text, expected) => {
    expect(compileGlob(pattern)(text)).toBe(expected);
  });

  it('says what the plain regular expression says', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '.'), maxLength: 8 });
    fc.assert(
      fc.property(letters, letters, (pattern, text) => {
        const source = pattern.split('').map((c) => (c === '*' ? '[^]*' : c === '?' ? '[^]' : RegExp.escape(c)));
        expect(compileGlob(pattern)(text)).toBe(new RegExp(`^${source.join('')}$`).test(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('takes no more than linear time for what a caller sends', () => {
    const began = performance.now();
    expect(compileGlob('*-x-*-y-*-mini')('-x-y'.repeat(100_000))).toBe(false);
    expect(performance.now() - began).toBeLessThan(1000);
  });
});
