import type { AgentRestConfig } from '../../../../config/types.ts';
import type { JsonObject } from '../../../../core/json.ts';

const MODES = ['text/plain', 'application/json'];

export interface CardFacts {
  readonly name: string;
  readonly description: string | undefined;
  readonly config: Pick<AgentRestConfig, 'version' | 'inputModes' | 'outputModes'>;
  readonly version: string | undefined;
  readonly skills: readonly CardSkill[];
}

export interface CardSkill {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly examples?: readonly string[] | undefined;
}

/** The agent card in the shape of A2A 1.0 (AgentCard of a2a.proto), without interfaces and security schemes: those are the hub's. */
export function restCard({ name, description, config, version, skills }: CardFacts): JsonObject {
  return {
    name,
    description: description ?? `${name}, an HTTP application.`,
    supportedInterfaces: [],
    version: config.version ?? version ?? '1.0.0',
    capabilities: { streaming: true, pushNotifications: true },
    defaultInputModes: config.inputModes ?? MODES,
    defaultOutputModes: config.outputModes ?? MODES,
    skills: skills.map(({ id, name: title, description: what, tags, examples }) => ({
      id,
      name: title,
      description: what,
      tags: [...tags],
      ...(examples === undefined ? {} : { examples: [...examples] }),
    })),
  };
}
