import type { AccessRule } from '../config/types.ts';
import type { Condition, ConditionContext } from '../core/conditions.ts';
import { compileCondition, compileGlob } from '../core/conditions.ts';
import type { Consumer } from '../core/consumer.ts';
import type { ExplanationStep } from '../core/contracts/resource.ts';
import type { CompiledPattern, Effect, PermitAgent, PermitTool } from './patterns.ts';
import { compilePattern } from './patterns.ts';

/** A condition that is asked when a tool is called. All of `conditions` must hold for it to act. */
export interface RuleCondition {
  readonly effect: Effect;
  /** The rule as a person reads it. */
  readonly rule: string;
  readonly conditions: readonly Condition[];
}

export interface ToolPermission {
  readonly visible: boolean;
  /** For `checkCall`; empty when every call is allowed, or the tool is hidden. */
  readonly conditions: readonly RuleCondition[];
}

/** Who may use what of one virtual server, service, upstream server or agent. */
export interface Access {
  /** There is no list: every known caller may use everything. */
  readonly isOpen: boolean;
  tool(consumer: Consumer, tool: PermitTool): ToolPermission;
  /** Nothing is known of a read but its URI: a rule with `when` does not open a resource, and one that denies hides it. Prompts are alike. */
  resource(consumer: Consumer, uri: string): boolean;
  prompt(consumer: Consumer, name: string): boolean;
  agent(consumer: Consumer, agent: PermitAgent): ToolPermission;
  explainAgent(consumer: Consumer, agent: PermitAgent): readonly ExplanationStep[];
  /** Every rule and what it does to the tool; the last step is the outcome, with effect `shows` or `hides`. */
  explain(consumer: Consumer, tool: PermitTool): readonly ExplanationStep[];
}

/** Where a rule stands; the pointer leads from the list of rules, such as `/1/deny/0`. */
export type LocateRule = (pointer: string) => { readonly file: string; readonly line: number } | undefined;

interface Entry {
  readonly effect: Effect;
  readonly rule: string;
  readonly pattern: CompiledPattern;
  /** Those of the rule and of the pattern. */
  readonly conditions: readonly Condition[];
  readonly pointer: string;
}

interface Rule {
  readonly title: string;
  readonly pointer: string;
  isFor(consumer: Consumer): boolean;
  readonly entries: readonly Entry[];
}

const openSteps = (): ExplanationStep[] => [{ rule: 'no access list: every caller may use it', effect: 'shows' }];

const OPEN: Access = {
  isOpen: true,
  tool: () => ({ visible: true, conditions: [] }),
  resource: () => true,
  prompt: () => true,
  agent: () => ({ visible: true, conditions: [] }),
  explain: openSteps,
  explainAgent: openSteps,
};

/**
 * Compiles `access:`. What is allowed is the union of all matching allows minus the union of all matching denies, so the order of rules means
 * nothing. Absent, everybody who is known may use everything.
 * @throws ConditionError for a `when` that does not compile.
 */
export function compileAccess(rules: readonly AccessRule[] | undefined, locate: LocateRule = () => undefined): Access {
  if (rules === undefined) return OPEN;
  const compiled = rules.map(compileRule);
  const entriesFor = (consumer: Consumer): Entry[] => compiled.filter((rule) => rule.isFor(consumer)).flatMap((rule) => rule.entries);
  const plain = (consumer: Consumer, matches: (pattern: CompiledPattern) => boolean): boolean => {
    const entries = entriesFor(consumer).filter((entry) => matches(entry.pattern));
    return (
      entries.some((entry) => entry.effect === 'allow' && entry.conditions.length === 0) &&
      entries.every((entry) => entry.effect === 'allow')
    );
  };
  const tool: Access['tool'] = (consumer, subject) => decide(entriesFor(consumer).filter((entry) => entry.pattern.matchesTool(subject)));
  const agent: Access['agent'] = (consumer, subject) => decide(entriesFor(consumer).filter((entry) => entry.pattern.matchesAgent(subject)));
  return {
    isOpen: false,
    tool,
    agent,
    explainAgent: (consumer, subject) => [
      ...compiled.flatMap((rule) => explainRule(rule, consumer, (pattern) => pattern.matchesAgent(subject), locate)),
      conclude(agent(consumer, subject)),
    ],
    resource: (consumer, uri) => plain(consumer, (pattern) => pattern.matchesResource(uri)),
    prompt: (consumer, name) => plain(consumer, (pattern) => pattern.matchesPrompt(name)),
    explain: (consumer, subject) => [
      ...compiled.flatMap((rule) => explainRule(rule, consumer, (pattern) => pattern.matchesTool(subject), locate)),
      conclude(tool(consumer, subject)),
    ],
  };
}

function decide(matching: readonly Entry[]): ToolPermission {
  const conditional = matching.filter((entry) => entry.conditions.length > 0);
  const always = (effect: Effect): boolean => matching.some((entry) => entry.effect === effect && entry.conditions.length === 0);
  const allowed = always('allow');
  if (always('deny') || (!allowed && !conditional.some((entry) => entry.effect === 'allow'))) return { visible: false, conditions: [] };
  return { visible: true, conditions: conditional.filter((entry) => entry.effect === 'deny' || !allowed) };
}

/**
 * Asks the conditions of one call: no rule that denies may hold, and when there are rules that allow one of them must. A condition that
 * cannot be answered counts against the call.
 */
export function checkCall(conditions: readonly RuleCondition[], context: ConditionContext): { ok: true } | { ok: false; rule: string } {
  const allows: string[] = [];
  let allowed = false;
  for (const { effect, rule, conditions: all } of conditions) {
    const denies = effect === 'deny';
    const holds = all.every((condition) => condition.evaluate(context, denies));
    if (denies && holds) return { ok: false, rule };
    if (!denies) {
      allows.push(rule);
      allowed ||= holds;
    }
  }
  return allowed || allows.length === 0 ? { ok: true } : { ok: false, rule: allows.join(' or ') };
}

function compileRule(rule: AccessRule, index: number): Rule {
  const title = `access rule ${index + 1}`;
  const shared = rule.when === undefined ? [] : [compileCondition(rule.when)];
  const compile = (effect: Effect): Entry[] =>
    (rule[effect] ?? []).map((one, number) => {
      const pattern = compilePattern(one, effect);
      const conditions = pattern.condition ? [...shared, pattern.condition] : shared;
      const when = conditions.map(({ text }) => ` when ${text}`).join(' and');
      return { effect, pattern, conditions, rule: `${title}, ${effect} ${pattern.text}${when}`, pointer: `/${index}/${effect}/${number}` };
    });
  return { title, pointer: `/${index}`, isFor: compileCallers(rule), entries: [...compile('allow'), ...compile('deny')] };
}

/** A rule that names groups or consumers is for those only, and never for the anonymous caller (DESIGN 2.4). */
function compileCallers({ groups, consumers }: AccessRule): (consumer: Consumer) => boolean {
  if (groups === undefined && consumers === undefined) return () => true;
  const members = new Set(groups);
  const names = (consumers ?? []).map(compileGlob);
  return (consumer) =>
    !consumer.anonymous && (consumer.groups.some((group) => members.has(group)) || names.some((matches) => matches(consumer.name)));
}

function explainRule(
  rule: Rule,
  consumer: Consumer,
  matches: (pattern: CompiledPattern) => boolean,
  locate: LocateRule,
): ExplanationStep[] {
  if (!rule.isFor(consumer))
    return [{ rule: `${rule.title}: not for ${consumer.name}`, effect: 'info', value: false, ...locate(rule.pointer) }];
  return rule.entries.map(({ rule: text, effect, pattern, conditions, pointer }): ExplanationStep => {
    const place = locate(pointer);
    if (!matches(pattern)) return { rule: text, effect: 'info', value: false, ...place };
    if (conditions.length > 0)
      return { rule: text, effect: effect === 'allow' ? 'allows' : 'refuses', value: 'asked at each call', ...place };
    return { rule: text, effect: effect === 'allow' ? 'shows' : 'hides', value: true, ...place };
  });
}

function conclude({ visible, conditions }: ToolPermission): ExplanationStep {
  if (!visible) return { rule: 'hidden: no rule allows it, or one denies it', effect: 'hides' };
  return { rule: conditions.length > 0 ? 'visible; rules with a condition decide about each call' : 'visible', effect: 'shows' };
}
