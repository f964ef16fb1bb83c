import { expect, it } from 'vitest';
import type { Question, RuleValue } from '../../../src/core/contracts/policy.ts';
import { composeChain, type BoundPolicy } from '../../../src/pipeline/chain.ts';
import { explainRules } from '../../../src/pipeline/explain-rules.ts';

const QUESTION: Question = {
  consumer: { name: 'alice', groups: [], anonymous: false },
  lane: 'models',
  route: 'support',
  model: 'gpt-5',
};
const asked: Question[] = [];
const use = (name: string, stage: BoundPolicy['stage'], rules: readonly RuleValue[], more: Partial<BoundPolicy> = {}): BoundPolicy => ({
  name,
  stage,
  hooks: {
    explain(question) {
      asked.push(question);
      return stage === 'limit' ? Promise.resolve(rules) : rules;
    },
  },
  ...more,
});

it('the rules of all policies are told in the order in which they act, each with its value', async () => {
  asked.length = 0;
  const chain = composeChain(
    [
      use('cache', 'cache', [{ rule: 'cache: 5 minutes', value: 'on' }]),
      { name: 'silent', stage: 'limit', hooks: { onCall: () => undefined } },
      use('rate', 'limit', [
        { rule: 'rate-limit: 600 requests a minute', value: '12 used' },
        { rule: 'rate-limit: 5 streams', value: '1 open' },
      ]),
    ],
    'models',
  );
  expect(await explainRules(chain, QUESTION)).toEqual([
    { rule: 'rate-limit: 600 requests a minute', effect: 'info', value: '12 used' },
    { rule: 'rate-limit: 5 streams', effect: 'info', value: '1 open' },
    { rule: 'cache: 5 minutes', effect: 'info', value: 'on' },
  ]);
  expect(asked).toEqual([QUESTION, QUESTION]);
});

it('those of other lanes, and of uses that do not concern such a call, are not', async () => {
  asked.length = 0;
  const rule = (text: string) => [{ rule: text, value: '' }];
  const chain = composeChain(
    [
      use('tools', 'limit', rule('of another lane'), { lanes: ['tools'] }),
      use('bob', 'limit', rule('of bob'), { concerns: ({ consumer }) => consumer.name === 'bob' }),
      use('alice', 'limit', rule('of alice'), { concerns: ({ consumer }) => consumer.name === 'alice', applies: () => false }),
    ],
    'models',
  );
  expect(await explainRules(chain, QUESTION)).toEqual([{ rule: 'of alice', effect: 'info', value: '' }]);
  expect(asked).toHaveLength(1);
});
