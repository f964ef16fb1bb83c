import { describe, expect, it } from 'vitest';
import { cutTools } from '../../../../src/policies/_selection-cut.ts';
import { neededNames } from '../../../../src/policies/_selection-names.ts';
import { queryOf } from '../../../../src/policies/_selection-query.ts';
import { findableOf, readTools } from '../../../../src/policies/_selection-tools.ts';

const anyName = (): boolean => true;
const user = (content: unknown) => ({ role: 'user', content });
const LONG = 'Please compare the prices of the two flights to Lisbon';

describe('what tools are found by', () => {
  it.each([
    ['the last message', [user('Book a flight'), { role: 'assistant', content: 'Done' }, user(LONG)], LONG],
    [
      'the one before too, when it is short',
      [user('first'), user(LONG), { role: 'assistant', content: 'ok' }, user('and both?')],
      `and both?\n${LONG}`,
    ],
    ['the only one, though it is short', [user('both?')], 'both?'],
    [
      'texts only',
      [user([{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }, { type: 'text', text: LONG }, { type: 'text' }])],
      LONG,
    ],
    [
      'no data',
      [user(`Look at ![x](data:image/png;base64,${'A'.repeat(5000)}) and tell me what it shows`)],
      'Look at ![x]( ) and tell me what it shows',
    ],
    [
      'not what an agent has put in',
      [
        user([
          { type: 'text', text: '<system-reminder>\nUse the lamp\n</system-reminder>' },
          { type: 'text', text: LONG },
        ]),
      ],
      LONG,
    ],
    ['a beginning without an end', [user(`${LONG} <system-reminder>`)], `${LONG} <system-reminder>`],
    ['no results', [user(LONG), { role: 'tool', content: 'x' }, user([{ type: 'tool_result', content: 'lamp' }])], LONG],
    ['nothing', [{ role: 'system', content: LONG }, null, 7, user(7), user([null, 7])], ''],
  ] as const)('%s', (_name, messages, query) => {
    expect(queryOf({ messages }, 'last')).toBe(query);
    expect(queryOf({ input: messages }, 'last')).toBe(query);
  });

  it('a text alone, in the format of responses', () => expect(queryOf({ input: LONG }, 'last')).toBe(LONG));
  it('nothing in a request that has no messages', () => expect(queryOf({}, 'last')).toBe(''));
  it('the first 1,000 characters, no half of one', () => {
    expect(queryOf({ input: `${'x'.repeat(999)}😀` }, 'last')).toBe(`${'x'.repeat(999)}\uFFFD`);
  });
  it('the conversation, newest first', () => {
    const messages = [user('oldest'), user('y'.repeat(900)), { role: 'assistant', content: 'no' }, user(LONG)];
    expect(queryOf({ messages }, 'conversation')).toBe(`${LONG}\n${'y'.repeat(900)}\noldest`);
    expect(queryOf({ messages: [user('z'), user('y'.repeat(1200))] }, 'conversation')).toBe('y'.repeat(1000));
  });
  it('a message of nothing but beginnings, without taking long', () => {
    expect(queryOf({ input: '<system-reminder>'.repeat(100_000) }, 'last')).toHaveLength(1000);
  });
});

describe('names that are needed', () => {
  it.each([
    ['none', {}, []],
    ['no choice', { tool_choice: 'auto', messages: 'x', input: 'x' }, []],
    ['a custom tool of chat', { tool_choice: { type: 'custom', custom: { name: 'a' } } }, ['a']],
    [
      'calls of chat, old and new',
      { messages: [{ tool_calls: [{ custom: { name: 'a' } }, null], function_call: { name: 'b' } }] },
      ['a', 'b'],
    ],
    [
      'results of chat that have a name',
      {
        messages: [
          { role: 'tool', name: 'a' },
          { role: 'function', name: 'b' },
        ],
      },
      ['a', 'b'],
    ],
    ['no name of a person', { messages: [{ role: 'user', name: 'alice', content: 'x' }] }, []],
    [
      'a custom call of responses',
      {
        input: [
          { type: 'custom_tool_call', name: 'a' },
          { type: 'mcp_call', name: 'b' },
        ],
      },
      ['a'],
    ],
    [
      'what a search of the provider has found',
      { messages: [user([{ type: 'tool_result', content: [{ type: 'tool_reference', tool_name: 'a' }] }])] },
      ['a'],
    ],
    ['nothing that is no text', { tool_choice: { name: 7 }, messages: [7, null, { content: [null] }] }, []],
  ] as const)('%s', (_name, body, names) => expect([...neededNames(body)]).toEqual(names));
});

describe('marks of the cache', () => {
  const FIVE = { type: 'ephemeral' };
  const HOUR = { type: 'ephemeral', ttl: '1h' };
  const tool = (name: string, more: object = {}) => ({ name, input_schema: {}, ...more });
  const cut = (tools: readonly unknown[], ...kept: string[]) =>
    cutTools(readTools(tools, anyName), ({ own, deferred }) => deferred || kept.includes(own?.name ?? ''));

  it('go to the tool that is kept before', () => {
    const tools = [tool('a'), tool('b', { strict: true }), tool('c'), tool('d', { cache_control: FIVE })];
    expect(cut(tools, 'a', 'b')).toEqual([tool('a'), tool('b', { strict: true, cache_control: FIVE })]);
    expect(tools[1]).not.toHaveProperty('cache_control');
  });
  it('of several for one place, the first stays', () => {
    const tools = [tool('a'), tool('b', { cache_control: HOUR }), tool('c', { cache_control: FIVE }), tool('d')];
    expect(cut(tools, 'a', 'd')).toEqual([tool('a', { cache_control: HOUR }), tool('d')]);
    expect(cut([tool('a', { cache_control: HOUR }), tool('b', { cache_control: FIVE })], 'a')).toEqual([
      tool('a', { cache_control: HOUR }),
    ]);
  });
  it('never go to a deferred tool, nor behind their place', () => {
    const later = tool('later', { defer_loading: true });
    expect(cut([tool('a'), later, tool('b', { cache_control: FIVE })], 'a')).toEqual([tool('a', { cache_control: FIVE }), later]);
    expect(cut([tool('a', { cache_control: FIVE }), tool('b')], 'b')).toEqual([tool('b')]);
  });
});

it('reads name, description and parameters of a tool in every format', () => {
  const schema = { type: 'object', properties: { city: { type: 'string', description: 'Where' } } };
  const read = (tools: readonly unknown[]) => readTools(tools, anyName);
  const tools = read([
    { type: 'function', function: { name: 'a', description: 'A', parameters: schema } },
    { type: 'function', name: 'a', description: 'A', parameters: schema },
    { name: 'a', description: 'A', input_schema: schema },
    { type: 'custom', name: 'a', description: 'A', input_schema: schema },
    { type: null, name: 'a', description: 'A', input_schema: schema },
  ]);
  for (const { own } of tools) expect(findableOf(own!)).toEqual({ name: 'a', description: 'A', words: ['city', 'Where'] });
  const free = read([{ type: 'custom', custom: { name: 'patch', description: 'Edits files' } }]);
  expect(findableOf(free[0]!.own!)).toEqual({ name: 'patch', description: 'Edits files', words: [] });
  expect(findableOf({ name: 'a', definition: { name: 'a', description: 7, parameters: 'x' } })).toEqual({
    name: 'a',
    description: '',
    words: [],
  });
});
