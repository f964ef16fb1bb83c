/** What authors of extensions import: `import { definePolicy } from 'hubgate/policy'`. */
export type { AnyCall, Attempt, Call, Chunk, Lane, Outcome, Reply, Segment, Target } from './core/call.ts';
export {
  defineBalancer,
  type BalancedTarget,
  type Balancer,
  type BalancerExtension,
  type TargetFigures,
} from './core/contracts/balancer.ts';
export { defineEmbedder, type EmbeddedAs, type Embedder, type EmbedderExtension } from './core/contracts/embedder.ts';
export type { Embedded, Findable, Found, Hit, Semantics, TextIndex } from './core/contracts/semantics.ts';
export { definePolicy, STAGES, type Policy, type PolicyHooks, type Question, type RuleValue, type Stage } from './core/contracts/policy.ts';
export type { Awaitable, Host, KeyValueStore } from './core/contracts/extension.ts';
export type { Meter, State, Taken, Ticket, Use } from './core/contracts/state.ts';
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
export type { Usage } from './core/usage.ts';
