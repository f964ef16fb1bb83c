/** The shapes of the configuration after loading: references resolved, secrets wrapped, durations in milliseconds, rates parsed. */
import type { AccessRule as AccessRuleSchema } from './schema/access.ts';
import type { Static } from 'typebox';

export type AccessRule = Static<typeof AccessRuleSchema>;
export type { AccessPattern, PolicyUse, SearchConfig } from './schema/access.ts';
export type {
  AgentRestConfig,
  RestAnswerConfig,
  RestPollConfig,
  RestRequestConfig,
  RestSkillConfig,
  RestStreamConfig,
} from './schema/agent-rest.ts';
export type { AgentConfig, AgentTargetConfig } from './schema/agents.ts';
export type { ModelApiConfig, ModelRouteConfig, ProviderConfig } from './schema/models.ts';
export type { ConsumerConfig, HubConfig } from './schema/root.ts';
export type {
  ArgumentOverrideConfig,
  SelectionPattern,
  ServerConfig,
  ServiceConfig,
  ToolOverride,
  ToolSettingsConfig,
  VirtualServerConfig,
} from './schema/tools.ts';
export type { LoadedConfig, LoadOptions, OverlayFile, RelatedFiles } from './loaded.ts';
export type { DocumentPlace, MergedConfig, Origin } from './merge.ts';
