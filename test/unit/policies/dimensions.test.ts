import { expect, it } from 'vitest';
import type { AnyCall } from '../../../src/core/call.ts';
import type { Question } from '../../../src/core/contracts/policy.ts';
import { createTable } from '../../../src/policies/_dimensions.ts';
import { chat, message } from './limit-calls.ts';

const subjects = (by: string | readonly string[], of: AnyCall | Question): string[] =>
  createTable(by, ({ words, fields }) => ({ until: Infinity, words: `${words} ${JSON.stringify(fields)}` }))
    .rows(of, 0)
    .map(({ words }) => words);
const to = (skill?: string): AnyCall =>
  ({ ...message('travel'), input: { agent: 'travel', params: {}, ...(skill === undefined ? {} : { skill }) } }) as AnyCall;
const question = (skill?: string): Question => ({
  consumer: { name: 'alice', groups: [], anonymous: false },
  lane: 'agents',
  route: 'travel',
  agent: 'travel',
  ...(skill === undefined ? {} : { skill }),
});

it.each<[string, AnyCall | Question, string[]]>([
  ['a message that names one', to('flights'), [' for skill flights {"skill":"flights"}']],
  ['a message that names none', to(), []],
  ['a call of another lane', chat(), []],
  ['a question about one', question('flights'), [' for skill flights {"skill":"flights"}']],
  ['a question about none', question(), []],
])('skill of %s', (_, of, expected) => expect(subjects('skill', of)).toEqual(expected));

it('skills of several agents are told apart where the rule says so', () => {
  expect(subjects(['agent', 'skill'], to('flights'))).toEqual([' for agent travel and skill flights {"agent":"travel","skill":"flights"}']);
  expect(subjects(['skill', 'agent'], question('flights'))).toEqual(subjects(['agent', 'skill'], to('flights')));
});

it('callers choose what they name: a key is of bounded length and cannot be taken for another', () => {
  const keys: string[] = [];
  const table = createTable(['agent', 'skill'], ({ key }) => (keys.push(key), { until: Infinity }));
  for (const skill of ['a', 'a\nskill=b', 'x'.repeat(100_000), `${'x'.repeat(100_000)}y`]) table.rows(to(skill), 0);
  expect(new Set(keys).size).toBe(4);
  expect(keys.filter((key) => key.length > 150 || key.split('\n').length !== 2)).toEqual([]);
});
