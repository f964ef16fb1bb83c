import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentsChecks } from './agents-checks.ts';
import { balancersChecks } from './balancers-checks.ts';
import { budgetsChecks } from './budgets-checks.ts';
import { cachingChecks } from './caching-checks.ts';
import type { Checks } from './checks.ts';
import { assertRoutesAnswer } from './assert-routes-answer.ts';
import { httpAgentsChecks } from './http-agents-checks.ts';
import { intentRoutingChecks } from './intent-routing-checks.ts';
import { limitsChecks } from './limits-checks.ts';
import { modelApisChecks } from './model-apis-checks.ts';
import { readExamples } from './read-examples.ts';
import { reliabilityChecks } from './reliability-checks.ts';
import { routingChecks } from './routing-checks.ts';
import { startExample, type RunningExample } from './start-example.ts';
import { toolSelectionChecks } from './tool-selection-checks.ts';

/** What each example of a page has to show, by its title. */
const PAGES: Readonly<Record<string, Checks>> = {
  routing: routingChecks,
  'intent-routing': intentRoutingChecks,
  'model-apis': modelApisChecks,
  reliability: reliabilityChecks,
  balancers: balancersChecks,
  limits: limitsChecks,
  budgets: budgetsChecks,
  caching: cachingChecks,
  'tool-selection': toolSelectionChecks,
  agents: agentsChecks,
  'http-agents': httpAgentsChecks,
};

describe.each(Object.entries(PAGES))('docs/%s.md', (page, checks) => {
  const examples = readExamples(page);

  it('has a check for each of its examples', () => {
    expect(examples.map(({ title }) => title)).toEqual(Object.keys(checks));
  });

  describe.each(examples)('$title', (example) => {
    const { env, assert, untaken } = checks[example.title] ?? {
      assert: () => Promise.reject(new Error('There is no check for this example.')),
    };
    let running: RunningExample;
    beforeAll(async () => {
      running = await startExample(example, env);
    });
    afterAll(() => running?.stop());

    it('is accepted without a warning', async () => {
      const { config } = await running.status();
      expect([...config.errors, ...config.warnings]).toEqual([]);
    });

    it('does what the page says', () => assert(running));

    it('answers through each of its routes', () => assertRoutesAnswer(running, untaken?.() ?? []));
  });
});
