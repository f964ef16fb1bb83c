import type { AccessPattern } from '../config/types.ts';
import type { AgentOperation } from '../core/agents.ts';
import type { Condition } from '../core/conditions.ts';
import { compileCondition, compileGlob } from '../core/conditions.ts';
import type { Risk, Tool } from '../core/tools.ts';
import { RISKS } from '../core/tools.ts';

export type Effect = 'allow' | 'deny';

/** What a rule asks of a tool. `name` is the exposed name without a prefix. */
export type PermitTool = Pick<Tool, 'name' | 'definition' | 'risk' | 'tags' | 'operation'>;

/** What a rule asks of a call of an agent. A message that names no skill has none. */
export interface PermitAgent {
  readonly operation: AgentOperation;
  readonly skill: string | undefined;
  /** Of the skill; undefined where nobody knows them. */
  readonly tags: readonly string[] | undefined;
}

/** One entry of `allow` or `deny`, compiled. */
export interface CompiledPattern {
  /** The entry as a person reads it. */
  readonly text: string;
  readonly condition: Condition | undefined;
  matchesTool(tool: PermitTool): boolean;
  matchesResource(uri: string): boolean;
  matchesPrompt(name: string): boolean;
  matchesAgent(agent: PermitAgent): boolean;
}

type ToolTest = (tool: PermitTool) => boolean;
const never = (): boolean => false;

/** A pattern asks of tools unless it says `resource` or `prompt`; all that it says must hold, so one that says two of these never matches. */
export function compilePattern(pattern: AccessPattern, effect: Effect): CompiledPattern {
  if (typeof pattern === 'string') {
    const glob = compileGlob(pattern);
    return {
      text: JSON.stringify(pattern),
      condition: undefined,
      matchesTool: (tool) => glob(tool.name),
      matchesResource: never,
      matchesPrompt: never,
      matchesAgent: (agent) => matchesSkill(glob, agent, effect, pattern === '*'),
    };
  }
  const { resource, prompt, when, skill, operation, ...rest } = pattern;
  const tests = toolTests(rest, effect);
  const isOfAgents = skill !== undefined || operation !== undefined;
  const kinds = [resource, prompt, tests.length > 0 ? tests : undefined].filter((one) => one !== undefined).length;
  return {
    text: describe({ ...rest, skill, operation }, resource, prompt),
    condition: when === undefined ? undefined : compileCondition(when),
    matchesTool: resource === undefined && prompt === undefined && !isOfAgents ? (tool) => tests.every((test) => test(tool)) : never,
    matchesResource: resource !== undefined && kinds === 1 ? compileGlob(resource) : never,
    matchesPrompt: prompt !== undefined && kinds === 1 ? compileGlob(prompt) : never,
    matchesAgent: agentTest(pattern, effect),
  };
}

/** Whoever may use a skill may ask about the tasks that come of it; who may not is kept from messages that name it. */
function matchesSkill(glob: (text: string) => boolean, { operation, skill }: PermitAgent, effect: Effect, isAll: boolean): boolean {
  if (isAll) return true;
  if (!operation.startsWith('message/')) return effect === 'allow';
  return skill !== undefined && glob(skill);
}

/** Of an agent a pattern asks about skill, tag, operation and risk; one that asks about anything else is not for agents. */
function agentTest(pattern: Exclude<AccessPattern, string>, effect: Effect): (agent: PermitAgent) => boolean {
  const { skill, operation, tag, risk, when: _, ...others } = pattern;
  if (Object.keys(others).length > 0) return never;
  const tests: ((agent: PermitAgent) => boolean)[] = [];
  if (skill !== undefined) {
    const glob = compileGlob(skill);
    tests.push((agent) => matchesSkill(glob, agent, effect, skill === '*'));
  }
  if (tag !== undefined) {
    const glob = compileGlob(tag);
    tests.push((agent) =>
      agent.operation.startsWith('message/') ? (agent.tags?.some((name) => glob(name)) ?? effect === 'deny') : effect === 'allow',
    );
  }
  if (operation !== undefined) {
    const glob = compileGlob(operation);
    tests.push((agent) => glob(agent.operation));
  }
  if (risk !== undefined) tests.push((agent) => withinRisk(READS.has(agent.operation) ? 'read' : 'write', risk, effect));
  return (agent) => tests.every((test) => test(agent));
}

/** Operations that change nothing at the agent. */
const READS: ReadonlySet<AgentOperation> = new Set<AgentOperation>([
  'tasks/get',
  'tasks/list',
  'tasks/resubscribe',
  'tasks/pushNotificationConfig/get',
  'tasks/pushNotificationConfig/list',
  'agent/card',
]);

function toolTests(pattern: Exclude<AccessPattern, string>, effect: Effect): ToolTest[] {
  const { tool, risk, tag, annotation, method, path } = pattern;
  const tests: ToolTest[] = [];
  const test = (glob: string | undefined, ask: (tool: PermitTool, matches: (text: string) => boolean) => boolean): void => {
    if (glob === undefined) return;
    const matches = compileGlob(glob);
    tests.push((one) => ask(one, matches));
  };
  test(tool, (one, matches) => matches(one.name));
  test(tag, (one, matches) => one.tags.some((name) => matches(name)));
  test(method?.toUpperCase(), (one, matches) => one.operation !== undefined && matches(one.operation.method));
  test(path, (one, matches) => one.operation !== undefined && matches(one.operation.path));
  if (risk !== undefined) tests.push((one) => withinRisk(one.risk, risk, effect));
  if (annotation !== undefined) {
    tests.push(({ definition: { annotations = {} } }) =>
      Object.entries(annotation).every(([name, value]) => Object.hasOwn(annotations, name) && annotations[name] === value),
    );
  }
  return tests;
}

/** DESIGN 2.4: in `deny` a risk means it and all above, in `allow` it and all below. */
function withinRisk(risk: Risk, named: Risk, effect: Effect): boolean {
  const distance = RISKS.indexOf(risk) - RISKS.indexOf(named);
  return effect === 'deny' ? distance >= 0 : distance <= 0;
}

function describe(rest: object, resource: string | undefined, prompt: string | undefined): string {
  const said = Object.entries({ ...rest, resource, prompt }).filter(([, value]) => value !== undefined);
  if (said.length === 0) return 'every tool';
  return `{ ${said.map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`).join(', ')} }`;
}
