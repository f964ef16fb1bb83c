import { describe, expect, it } from 'vitest';
import type { PermitAgent, PermitTool } from '../../../../../src/access/patterns.ts';
import { compileAccess } from '../../../../../src/access/permit.ts';
import type { AccessRule } from '../../../../../src/config/types.ts';
import { toolAccess } from '../../../../../src/lanes/agents/tools/tool-access.ts';
import { ALICE, BOB } from '../start-agents.ts';

const ASKED: Readonly<Record<string, PermitAgent>> = {
  find: { operation: 'message/send', skill: 'flights', tags: ['safe'] },
  get_task: { operation: 'tasks/get', skill: undefined, tags: [] },
  cancel_task: { operation: 'tasks/cancel', skill: undefined, tags: [] },
};
const toolNamed = (name: string, exposed = name): PermitTool => ({
  name: exposed,
  definition: { name, inputSchema: {} },
  risk: 'read',
  tags: [],
});
const access = (...rules: AccessRule[]) => toolAccess(compileAccess(rules), (tool) => ASKED[tool]);
const seen = (of: ReturnType<typeof access>): string[] => Object.keys(ASKED).filter((name) => of.tool(ALICE, toolNamed(name)).visible);

describe('the access of an agent, asked about tools', () => {
  it.each<[string, AccessRule, string[]]>([
    ['its skill', { allow: [{ skill: 'flights' }] }, ['find', 'get_task', 'cancel_task']],
    ['a tag of its skill', { allow: [{ tag: 'safe' }] }, ['find', 'get_task', 'cancel_task']],
    ['another skill', { allow: ['hotels'] }, ['get_task', 'cancel_task']],
    ['reading', { allow: [{ risk: 'read' }] }, ['get_task']],
    ['an operation', { allow: [{ operation: 'message/*' }] }, ['find']],
    ['everything but an operation', { allow: ['*'], deny: [{ operation: 'tasks/cancel' }] }, ['find', 'get_task']],
    ['nothing', {}, []],
    ['others', { consumers: ['bob'], allow: ['*'] }, []],
  ])('%s', (_, rule, names) => expect(seen(access(rule))).toEqual(names));

  it('goes by the name that the source has for the tool, not by the one it is shown with', () =>
    expect(access({ allow: ['flights'] }).tool(ALICE, toolNamed('find', 'travel_find')).visible).toBe(true));

  it('a tool that nobody knows is a message without a skill', () => {
    expect(access({ allow: ['flights'] }).tool(ALICE, toolNamed('what')).visible).toBe(false);
    expect(access({ allow: ['*'] }).tool(ALICE, toolNamed('what')).visible).toBe(true);
  });

  it('has no resources and no prompts, whatever is allowed', () => {
    const all = toolAccess(compileAccess(undefined), () => undefined);
    expect([all.resource(ALICE, 'x'), all.prompt(ALICE, 'x'), all.isOpen]).toEqual([false, false, true]);
  });

  it('explains itself by the rules of the agent', () => {
    const of = access({ consumers: ['alice'], allow: ['flights'] });
    expect(of.explain(ALICE, toolNamed('find')).at(-1)).toMatchObject({ effect: 'shows' });
    expect(of.explain(BOB, toolNamed('find')).at(-1)).toMatchObject({ effect: 'hides' });
  });
});
