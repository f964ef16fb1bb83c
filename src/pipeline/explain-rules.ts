import type { Question } from '../core/contracts/policy.ts';
import type { ExplanationStep } from '../core/contracts/resource.ts';
import type { Chain } from './chain.ts';

/** What the rules of the policies say of such a call, with their present values. Where a use asks about the request, the rule is told all the same. */
export async function explainRules(chain: Chain, question: Question): Promise<ExplanationStep[]> {
  const steps: ExplanationStep[] = [];
  for (const step of chain.explaining) {
    if (step.concerns?.(question) === false) continue;
    for (const { rule, value } of await step.hooks.explain!(question)) steps.push({ rule, effect: 'info', value });
  }
  return steps;
}
