import type { Access } from '../../../access/permit.ts';
import type { PermitAgent, PermitTool } from '../../../access/patterns.ts';

/** The access of an agent, asked about the tools that its skills are: whoever may send a message to a skill sees its tool. */
export function toolAccess(access: Access, asked: (tool: string) => PermitAgent | undefined): Access {
  const subject = ({ definition }: PermitTool): PermitAgent =>
    asked(definition.name) ?? { operation: 'message/send', skill: undefined, tags: [] };
  return {
    ...access,
    tool: (consumer, tool) => access.agent(consumer, subject(tool)),
    resource: () => false,
    prompt: () => false,
    explain: (consumer, tool) => access.explainAgent(consumer, subject(tool)),
  };
}
