/** What authors of extensions import: `import { definePolicy } from 'hubgate/policy'`. */
export type { AnyCall, Attempt, Call, Chunk, Lane, Outcome, Reply, Segment } from './core/call.ts';
export { definePolicy, STAGES, type Policy, type PolicyHooks, type Stage } from './core/contracts/policy.ts';
export type { Host, KeyValueStore } from './core/contracts/extension.ts';
export {
  defineToolSource,
  SourceError,
  type Channel,
  type SessionToolSource,
  type SourceEvent,
  type SourceSnapshot,
  type StatelessToolSource,
  type ToolSource,
} from './core/contracts/tool-source.ts';
export { GatewayError } from './core/errors.ts';
export { errorResult, type SourceTool, type ToolDefinition, type ToolsChunk, type ToolsReply } from './core/tools.ts';
export type { JsonObject } from './core/json.ts';
