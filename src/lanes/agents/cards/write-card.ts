import type { AgentConfig } from '../../../config/types.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import type { BindingName, VersionName } from '../wires/wire.ts';
import { createAddressFilter } from './address-filter.ts';

/** What the hub says of an agent in place of what the agent says itself. */
export interface CardFacts {
  /** Where the hub serves the agent, all versions and bindings: `https://hub.example/prefix/a2a/NAME`. */
  readonly base: string;
  readonly bindings: readonly BindingName[];
  readonly versions: readonly VersionName[];
  readonly security: 'keys' | 'open';
  /** In place of the agent's own. */
  readonly description?: string | undefined;
  readonly icons?: AgentConfig['icons'];
  /** Whether this caller may use the skill; it is told the skill as the agent has it. */
  skills(skill: JsonObject): boolean;
  readonly streaming: boolean;
  readonly pushNotifications: boolean;
  readonly extendedAgentCard: boolean;
  /** Whether callers may ask for the extension. */
  extensions(uri: string): boolean;
  /** Hosts of the agent that nobody may see besides those of its interfaces: names, `host:port` or URLs. */
  readonly internal: readonly string[];
}

/** The name of the hub's scheme on cards. */
const SCHEME = 'hub';
/** What the agent says of its own door, by the names of 1.0, of its drafts and of 0.2. */
const OURS = new Set(['securitySchemes', 'securityRequirements', 'signatures', 'protocolVersions', 'authentication']);

/**
 * The card as the hub serves it, in the shape of A2A 1.0 and with all that it requires: interfaces and security are the hub's own, what the caller may not
 * use is gone, and so are the agent's signatures and every address of its own hosts. `card` is what `readCard` gave.
 */
export function writeCard(card: JsonObject, facts: CardFacts): JsonObject {
  const { supportedInterfaces, skills, capabilities, ...others } = card;
  const rest = Object.fromEntries(Object.entries(others).filter(([field]) => !OURS.has(field)));
  const clean = createAddressFilter({
    base: facts.base,
    interfaces: objects(supportedInterfaces).map(({ url }) => String(url)),
    internal: facts.internal,
  });
  const { provider, ...kept } = clean(rest) as JsonObject;
  const name = text(kept['name']) ?? facts.base.slice(facts.base.lastIndexOf('/') + 1);
  const icon = facts.icons?.[0]?.src;
  return {
    ...kept,
    name,
    description: facts.description ?? text(kept['description']) ?? name,
    supportedInterfaces: facts.versions.flatMap((protocolVersion) =>
      facts.bindings.map((protocolBinding) => ({ url: facts.base, protocolBinding, protocolVersion })),
    ),
    // Readers want both of its fields or none of it.
    ...(isObject(provider) && text(provider['url']) !== undefined && text(provider['organization']) !== undefined && { provider }),
    version: text(kept['version']) ?? '0.0.0',
    ...(icon !== undefined && { iconUrl: icon }),
    capabilities: {
      ...(clean(isObject(capabilities) ? capabilities : {}) as JsonObject),
      streaming: facts.streaming,
      pushNotifications: facts.pushNotifications,
      extendedAgentCard: facts.extendedAgentCard,
      extensions: extensionsOf(capabilities, facts, clean),
    },
    ...(facts.security === 'keys' && {
      securitySchemes: { [SCHEME]: { httpAuthSecurityScheme: { scheme: 'Bearer', description: 'A key of this hub.' } } },
      securityRequirements: [{ schemes: { [SCHEME]: { list: [] } } }],
    }),
    defaultInputModes: modes(kept['defaultInputModes']),
    defaultOutputModes: modes(kept['defaultOutputModes']),
    skills: objects(skills).flatMap((skill) => (facts.skills(skill) ? skillOf(skill, clean) : [])),
  };
}

/** A caller would ask for an extension by its URI: one that may not be shown cannot be offered. */
function extensionsOf(capabilities: unknown, facts: CardFacts, clean: (value: unknown) => unknown): JsonObject[] {
  return objects(isObject(capabilities) ? capabilities['extensions'] : []).flatMap((extension) => {
    const { uri } = extension;
    return typeof uri === 'string' && facts.extensions(uri) && clean(uri) === uri ? [clean(extension) as JsonObject] : [];
  });
}

/** A caller names a skill by its id, which therefore stays or takes the skill with it. */
function skillOf(skill: JsonObject, clean: (value: unknown) => unknown): JsonObject[] {
  const { securityRequirements: _, ...rest } = skill;
  const { id, name, description, tags, ...more } = clean(rest) as JsonObject;
  if (id !== skill['id']) return [];
  const called = text(name) ?? id;
  return [{ ...more, id, name: called, description: text(description) ?? called, tags: Array.isArray(tags) ? tags : [] }];
}

function modes(value: unknown): unknown {
  return Array.isArray(value) && value.length > 0 ? value : ['text/plain'];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
