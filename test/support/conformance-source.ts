import type { JsonObject } from '../../src/core/json.ts';
import { createHash } from 'node:crypto';
import type { Call } from '../../src/core/call.ts';
import {
  type Channel,
  defineToolSource,
  type SessionToolSource,
  SourceError,
  type SourceEvent,
  type SourceSnapshot,
} from '../../src/policy.ts';
import { errorResult, type ToolsReply } from '../../src/core/tools.ts';
import { FIRST_STATELESS_REVISION, isObject, type Run, unseal } from './conformance/context.ts';
import { complete, dynamicPrompt, prompts, readResource, resources, resourceTemplates } from './conformance/resources-and-prompts.ts';
import { conformanceTools, dynamicTool } from './conformance/tools.ts';

const ROUNDS = 8;
const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];
const CAPABILITIES = new Map([
  ['sampling/createMessage', 'sampling'],
  ['elicitation/create', 'elicitation'],
  ['roots/list', 'roots'],
]);

/** Everything the official MCP suite asks a server for. In a configuration: `extensions: [FILE]`, `servers: { fixture: { source: conformance } }`. */
export default defineToolSource<object>({
  name: 'conformance',
  options: { type: 'object' },
  create: ({ name }) => new ConformanceSource(name),
});

class ConformanceSource implements SessionToolSource {
  readonly mode = 'session';
  readonly name: string;
  snapshot: SourceSnapshot;
  readonly #listeners = new Set<(event: SourceEvent) => void>();
  readonly #shown = { tools: false, prompts: false };
  readonly #levels = new Map<string | undefined, number>();
  readonly #tools = conformanceTools((list) => this.#toggle(list));

  constructor(name: string) {
    this.name = name;
    this.snapshot = this.#takeSnapshot();
  }

  subscribe(listener: (event: SourceEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async call(call: Call<'tools'>, name: string, channel: Channel): Promise<ToolsReply> {
    const { params } = call.input;
    switch (call.operation) {
      case 'tools/call': {
        const tool = [...this.#tools, dynamicTool].find(({ definition }) => definition.name === name);
        if (!tool) throw new SourceError(-32_602, `Unknown tool: ${name}`);
        return this.#rounds(tool.run, call.input.arguments, params, channel);
      }
      case 'prompts/get': {
        const prompt = [...prompts, dynamicPrompt].find(({ definition }) => definition.name === name);
        if (!prompt) throw new SourceError(-32_602, `Unknown prompt: ${name}`);
        return this.#rounds(prompt.run, isObject(params.arguments) ? params.arguments : {}, params, channel);
      }
      case 'resources/read': {
        const uri = String(params.uri);
        const found = readResource(uri);
        if (!found)
          throw new SourceError(channel.protocolVersion >= FIRST_STATELESS_REVISION ? -32_602 : -32_002, 'Resource not found', { uri });
        return { contents: [found] };
      }
      case 'completion/complete':
        return complete(params);
      case 'logging/setLevel':
        this.#levels.set(channel.session, LEVELS.indexOf(String(params.level)));
        return {};
      case 'resources/subscribe':
      case 'resources/unsubscribe':
        return {};
      default:
        throw new SourceError(-32_601, 'Method not found');
    }
  }

  /** Runs until nothing is left to ask: a client of 2025-11-25 is asked on its stream, one of 2026-07-28 calls again with the answers. */
  async #rounds(run: Run, given: JsonObject, params: JsonObject, channel: Channel): Promise<ToolsReply> {
    let answers = isObject(params.inputResponses) ? params.inputResponses : {};
    let token = params.requestState;
    for (let round = 0; round < ROUNDS; round++) {
      const log = (text: string): void => this.#log(channel, text);
      const reply = await run({ arguments: given, answers, state: unseal(token), channel, log });
      if (reply.resultType !== 'input_required') return reply;
      const requests = Object.entries(reply.inputRequests as Record<string, { method: string; params: JsonObject }>);
      const missing = requests
        .flatMap(([, { method }]) => CAPABILITIES.get(method) ?? [])
        .filter((name) => !Object.hasOwn(channel.clientCapabilities, name));
      if (missing.length > 0) return refuse(missing, channel);
      if (!channel.canRequest) return reply;
      const answered = await Promise.all(requests.map(async ([key, one]) => [key, await channel.request(one.method, one.params)]));
      answers = Object.fromEntries(answered);
      token = reply.requestState;
    }
    return errorResult(`Still not answered after ${ROUNDS} rounds.`);
  }

  #log(channel: Channel, data: string): void {
    const wanted = channel.meta['io.modelcontextprotocol/logLevel'];
    if (channel.protocolVersion >= FIRST_STATELESS_REVISION && wanted === undefined) return;
    const threshold = wanted === undefined ? (this.#levels.get(channel.session) ?? 0) : LEVELS.indexOf(String(wanted));
    if (LEVELS.indexOf('info') >= threshold) channel.notify('notifications/message', { level: 'info', data });
  }

  #toggle(list: 'tools' | 'prompts'): void {
    this.#shown[list] = !this.#shown[list];
    this.snapshot = this.#takeSnapshot();
    for (const listener of this.#listeners) listener({ type: 'lists' });
  }

  #takeSnapshot(): SourceSnapshot {
    const lists = {
      tools: [...this.#tools, ...(this.#shown.tools ? [dynamicTool] : [])].map(({ definition }) => ({
        definition,
        risk: 'read' as const,
        tags: [],
      })),
      resources,
      resourceTemplates,
      prompts: [...prompts, ...(this.#shown.prompts ? [dynamicPrompt] : [])].map(({ definition }) => definition),
    };
    return {
      ...lists,
      version: createHash('sha256').update(JSON.stringify(lists)).digest('hex'),
      state: 'ready',
      instructions: 'Answers the official MCP conformance suite.',
      features: { completions: true, logging: true, subscribe: true },
    };
  }
}

/** MissingRequiredClientCapability of 2026-07-28; older revisions know no such code, so their tool fails. */
function refuse(missing: readonly string[], channel: Channel): ToolsReply {
  const message = `The client does not support ${missing.join(', ')}.`;
  if (channel.protocolVersion < FIRST_STATELESS_REVISION) return errorResult(message);
  throw new SourceError(-32_021, message, { requiredCapabilities: Object.fromEntries(missing.map((name) => [name, {}])) });
}
