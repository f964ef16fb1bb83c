import type { ChatRequest, ToolChoice, ToolSpec } from '../../../../core/chat.ts';
import type { JsonObject } from '../../../../core/json.ts';
import { cachePoint } from './cache.ts';
import { checkToolName } from './calls.ts';

/**
 * `ToolConfiguration`. Bedrock has no choice `none`: the tools are left out, unless the conversation has calls, which Bedrock takes only with tools.
 */
export function writeToolConfig({ tools, toolChoice, parallelTools, turns }: ChatRequest, dropped: Set<string>): JsonObject | undefined {
  if (parallelTools === false && tools.length > 0) dropped.add('parallelTools');
  const called = new Set(turns.flatMap(({ parts }) => parts.flatMap((part) => (part.type === 'call' ? [part.name] : []))));
  const none = toolChoice?.type === 'none';
  if (none && called.size === 0) return undefined;
  if (none) dropped.add('toolChoice (none: Bedrock needs the tools of earlier calls)');
  const offered = toolChoice?.type === 'allowed' ? tools.filter(({ name }) => toolChoice.names.includes(name)) : tools;
  const specs = offered.flatMap((tool, i) => writeTool(tool, `tools[${i}]`, dropped));
  // The definitions of earlier calls are not at hand when the caller offers no tools any more.
  if (specs.length === 0) specs.push(...[...called].map((name) => ({ toolSpec: { name, inputSchema: { json: { type: 'object' } } } })));
  if (specs.length === 0) return undefined;
  const choice = offered.length === 0 ? undefined : writeChoice(toolChoice);
  return { tools: specs, ...(choice === undefined ? {} : { toolChoice: choice }) };
}

function writeTool({ name, description = '', parameters, strict, cache }: ToolSpec, place: string, dropped: Set<string>): JsonObject[] {
  checkToolName(name, place);
  const toolSpec = {
    name,
    ...(description === '' ? {} : { description }),
    inputSchema: { json: { type: 'object', ...parameters } },
    ...(strict === true ? { strict } : {}),
  };
  return cache === undefined ? [{ toolSpec }] : [{ toolSpec }, cachePoint(cache, dropped)];
}

function writeChoice(choice: ToolChoice | undefined): JsonObject | undefined {
  if (choice?.type === 'tool') return { tool: { name: choice.name } };
  if (choice?.type === 'required' || (choice?.type === 'allowed' && choice.required)) return { any: {} };
  return choice?.type === 'auto' || choice?.type === 'allowed' ? { auto: {} } : undefined;
}
