import { toolAccess } from '../../lanes/agents/tools/tool-access.ts';
import type { AgentsLane } from '../../lanes/agents/lane.ts';
import type { OperationCaller, OperationAnswer } from '../../lanes/agents/sources/rest/operation-caller.ts';
import type { MergedConfig } from '../../config/types.ts';
import { compileAccess, type Access } from '../../access/permit.ts';
import { agentDocument } from '../../core/contracts/resource.ts';
import type { AgentLine } from '../../core/contracts/agent-source.ts';
import type { PreparedCall, ToolSource } from '../../core/contracts/tool-source.ts';
import type { ContentBlock } from '../../core/tools.ts';
import type { Cancellation } from '../../core/upstream.ts';
import { throwUnwell } from '../../lanes/agents/sources/rest/answers/app-answer.ts';
import type { ToolsGeneration } from '../../lanes/tools/build.ts';
import { ServiceSource } from '../../lanes/tools/sources/service-source.ts';
import { passingStatus } from '../../upstreams/passing-status.ts';
import { asToolCall } from './as-tool-call.ts';

/** An agent as the tools lane takes it. */
export interface AgentTools {
  readonly source: ToolSource;
  readonly access: Access;
}

/** The skills of an agent as tools, with the access that the agent has. */
export function agentTools(agents: AgentsLane, merged: MergedConfig, name: string): AgentTools {
  const source = agents.tools(name);
  const access = compileAccess(merged.config.agents?.[name]?.access, (pointer) => merged.locate(`/agents/${name}/access${pointer}`));
  return { source, access: toolAccess(access, (tool) => source.asked(tool)) };
}

/** The operations of the document that an agent is made of, as the tools lane compiled them; undefined for an agent without one. */
export function agentOperations({ sources }: ToolsGeneration, agent: string): OperationCaller | undefined {
  const { key = '', source } = sources.get(agentDocument(agent)) ?? {};
  if (!(source instanceof ServiceSource)) return undefined;
  // While a new document is read, its requests may still go where the last one led.
  const sentTo = new Set<string>();
  return {
    key,
    get skills() {
      return source.snapshot.tools.map(({ definition: { name, title, description = '', inputSchema }, tags }) => {
        return { id: name, name: title ?? name, description, tags, inputSchema };
      });
    },
    get title() {
      return source.snapshot.title;
    },
    get error() {
      return source.snapshot.error;
    },
    upstream: agentDocument(agent),
    get addresses() {
      return [...new Set([...addressesOf(source), ...sentTo])];
    },
    subscribe: (listener) => source.subscribe(listener),
    async call(id, args, { call, line, signal }): Promise<OperationAnswer> {
      const prepared = await source.prepare(asToolCall(call, id, args), id, () => undefined);
      if (!('reply' in prepared)) sentTo.add(prepared.request.origin);
      const reply = 'reply' in prepared ? prepared.reply : await sent(prepared, line, signal);
      const { content = [], structuredContent, isError = false } = reply;
      const structured = structuredContent as OperationAnswer['structured'];
      return { text: content.map(textOf).join('\n'), isError, ...(structured === undefined ? {} : { structured }) };
    },
  };
}

/** Where the operations are: `baseUrl`, or else the servers of the document. */
function addressesOf({ facts: { config }, document: { compiled } }: ServiceSource): string[] {
  if (config.baseUrl !== undefined) return [config.baseUrl];
  return (compiled?.operations ?? []).map(({ server }) => server).filter((server) => URL.canParse(server));
}

async function sent({ request, signers, decode }: PreparedCall, line: AgentLine, signal: Cancellation) {
  const answer = await line.send(request, signers, signal);
  // As for tools: what else an API answers is an answer.
  if (passingStatus(answer.status) !== undefined) throwUnwell(answer, Date.now());
  return decode(answer);
}

function textOf(block: ContentBlock): string {
  return block.type === 'text' ? block.text : JSON.stringify(block);
}
