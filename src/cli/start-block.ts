import type { Hub } from '../gateway/hub.ts';
import type { SourceStatus } from '../core/contracts/resource.ts';
import type { ToolDefinition } from '../core/tools.ts';
import { columns, count, shellQuote } from './print.ts';
import { callRequest, sampleCall } from './sample-call.ts';

export interface StartFacts {
  readonly url: string;
  readonly adminUrl: string;
  readonly configFile: string;
  readonly dataDir: string;
}

const KINDS = { service: 'service', server: 'server', agent: 'agent', 'virtual-server': 'virtual server' } as const;

const JSON_BODY = { 'Content-Type': 'application/json' } as const;

/** Of an agent in the status, what is shown of it. */
interface AgentFacts {
  readonly name: string;
  readonly state: string;
  readonly skills: number;
}

/** What `serve` prints when it serves: addresses, one call to paste, and what a person should know. The last line says that it is ready. */
export async function startBlock(hub: Hub['admin'], { url, adminUrl, configFile, dataDir }: StartFacts): Promise<string> {
  const { version, sources, targets, agents } = hub.status();
  const consumers = hub.entries('consumers').map(({ name }) => name);
  const served = [
    ...sources
      .filter(({ kind }) => kind !== 'agent')
      .map(({ name, kind, state, tools }) => [name, KINDS[kind], state === 'ready' ? count(tools, 'tool') : state, `${url}/mcp/${name}`]),
    ...(agents as readonly AgentFacts[]).map((agent) => agentRow(agent, url, sources)),
  ];
  const addresses = [
    ['mcp', `${url}/mcp`],
    ...(targets.length === 0 ? [] : [['models', `${url}/v1   (base URL of OpenAI clients; ANTHROPIC_BASE_URL=${url})`]]),
    ...(agents.length === 0 ? [] : [['agents', `${url}/a2a`]]),
    ['admin', adminUrl],
    ['config', `${configFile} (watched, with openapi-specs/ and virtual-servers/ beside it)`],
    ['data', dataDir],
  ];
  const parts = [
    `Hubgate ${version}`,
    served.length === 0
      ? '  No tools yet: put an OpenAPI document into openapi-specs/, or run "hubgate import FILE_OR_URL".'
      : columns(served, '  '),
    columns(addresses, '  '),
    access(consumers),
    chat(hub, url, consumers),
    tryTool(hub, url, consumers),
    await tryAgent(hub, url, consumers),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n\nhubgate ready ${url}`;
}

function access(consumers: readonly string[]): string {
  if (consumers.length > 0)
    return `  ${count(consumers.length, 'consumer')} may call, each with its key. "hubgate keys create ${consumers[0]}" makes one.`;
  return [
    '  Open: no consumer is configured, so everyone on this machine may call, as "anonymous".',
    '  It is in no group: a rule that names groups or consumers never matches it.',
  ].join('\n');
}

/** A chat with the first model whose name is known. */
function chat(hub: Hub['admin'], url: string, consumers: readonly string[]): string {
  const caller = consumers[0];
  const demos = new Set(
    hub
      .entries('providers')
      .filter(({ config }) => (config as { type?: string }).type === 'demo')
      .map(({ name }) => name),
  );
  const [model] = hub.entries('models').flatMap(({ name, config }) => nameOf(name, config as RouteEntry, demos) ?? []);
  if (model === undefined) return '';
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello!' }] });
  return curl('Chat with a model', `${url}/v1/chat/completions`, JSON_BODY, body, caller);
}

interface RouteEntry {
  readonly match?: { readonly model?: string };
  readonly when?: string;
  readonly targets: readonly { readonly provider: string }[];
}

/** A name that the route surely takes. The demo model answers to any; of others a glob says no name that their vendor has. */
function nameOf(route: string, { match, when, targets }: RouteEntry, demos: ReadonlySet<string>): string | undefined {
  if (when !== undefined) return undefined;
  if (match === undefined) return route;
  const { model, ...others } = match;
  if (model === undefined || Object.keys(others).length > 0) return undefined;
  if (!/[*?]/.test(model)) return model;
  const start = model.replace(/\*$/, '');
  return demos.has(targets[0]?.provider ?? '') && start !== '' && !/[*?]/.test(start) ? start : undefined;
}

function tryTool(hub: Hub['admin'], url: string, consumers: readonly string[]): string {
  for (const { name, kind, state } of hub.status().sources) {
    if (state !== 'ready' || kind === 'agent') continue;
    for (const caller of callersOf(consumers)) {
      const call = sampleCall(hub.tools(name, hub.consumer(caller)) as ToolDefinition[]);
      if (call === undefined) continue;
      const { headers, body } = callRequest(call);
      return curl('Call a tool', `${url}/mcp/${name}`, headers, body, caller);
    }
  }
  return '';
}

/** A message to the first agent that somebody may call. */
async function tryAgent(hub: Hub['admin'], url: string, consumers: readonly string[]): Promise<string> {
  for (const { name } of hub.status().agents as readonly AgentFacts[]) {
    for (const caller of callersOf(consumers)) {
      const { callable } = await hub.explainAgent({ agent: name, consumer: hub.consumer(caller) });
      if (!callable) continue;
      const message = { messageId: '1', role: 'ROLE_USER', parts: [{ text: 'Hello!' }] };
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'SendMessage', params: { message } });
      return curl('Ask an agent', `${url}/a2a/${name}`, { ...JSON_BODY, 'A2A-Version': '1.0' }, body, caller);
    }
  }
  return '';
}

/** One row of the table: where the agent is, and its tools where it has any. */
function agentRow({ name, state, skills }: AgentFacts, url: string, sources: readonly SourceStatus[]): string[] {
  const hasTools = sources.some((source) => source.kind === 'agent' && source.name === name);
  const where = `${url}/a2a/${name}`;
  return [
    name,
    KINDS.agent,
    state === 'ready' ? count(skills, 'skill') : state,
    hasTools ? `${where}, as tools ${url}/mcp/${name}` : where,
  ];
}

function callersOf(consumers: readonly string[]): readonly (string | undefined)[] {
  return consumers.length === 0 ? [undefined] : consumers;
}

/** A request to paste; with a caller it takes a key of theirs. */
function curl(title: string, address: string, headers: Readonly<Record<string, string>>, body: string, caller: string | undefined): string {
  const lines = Object.entries(headers).map(([key, value]) => `-H '${key}: ${value}'`);
  if (caller !== undefined) lines.push('-H "Authorization: Bearer $HUBGATE_KEY"');
  return [
    `  ${title}${caller === undefined ? '' : `, with a key of ${caller} in HUBGATE_KEY`}:`,
    '',
    `curl -s ${address} \\`,
    ...lines.map((line) => `  ${line} \\`),
    `  -d ${shellQuote(body)}`,
  ].join('\n');
}
