import type { Hub } from '../gateway/hub.ts';
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

/** What `serve` prints when it serves: addresses, one call to paste, and what a person should know. The last line says that it is ready. */
export function startBlock(hub: Hub['admin'], { url, adminUrl, configFile, dataDir }: StartFacts): string {
  const { version, sources } = hub.status();
  const consumers = hub.entries('consumers').map(({ name }) => name);
  const served = sources.map(({ name, kind, state, tools }) => [
    name,
    KINDS[kind],
    state === 'ready' ? count(tools, 'tool') : state,
    `${url}/mcp/${name}`,
  ]);
  const addresses = [
    ['mcp', `${url}/mcp`],
    ...(hub.status().targets.length === 0 ? [] : [['models', `${url}/v1   (base URL of OpenAI clients; ANTHROPIC_BASE_URL=${url})`]]),
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
    tryIt(hub, url, consumers),
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
  const lines = ["-H 'Content-Type: application/json'"];
  if (caller !== undefined) lines.push('-H "Authorization: Bearer $HUBGATE_KEY"');
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello!' }] });
  return [
    `  Chat with a model${caller === undefined ? '' : `, with a key of ${caller} in HUBGATE_KEY`}:`,
    '',
    `curl -s ${url}/v1/chat/completions \\`,
    ...lines.map((line) => `  ${line} \\`),
    `  -d ${shellQuote(body)}`,
  ].join('\n');
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

function tryIt(hub: Hub['admin'], url: string, consumers: readonly string[]): string {
  const callers = consumers.length === 0 ? [undefined] : consumers;
  for (const { name, state } of hub.status().sources) {
    if (state !== 'ready') continue;
    for (const caller of callers) {
      const call = sampleCall(hub.tools(name, hub.consumer(caller)) as ToolDefinition[]);
      if (call === undefined) continue;
      const { headers, body } = callRequest(call);
      const lines = Object.entries(headers).map(([key, value]) => `-H '${key}: ${value}'`);
      if (caller !== undefined) lines.push('-H "Authorization: Bearer $HUBGATE_KEY"');
      const whose = caller === undefined ? '' : `, with a key of ${caller} in HUBGATE_KEY`;
      return [
        `  Call a tool${whose}:`,
        '',
        `curl -s ${url}/mcp/${name} \\`,
        ...lines.map((line) => `  ${line} \\`),
        `  -d ${shellQuote(body)}`,
      ].join('\n');
    }
  }
  return '';
}
