import { FORMATS } from '../config/schema/formats.ts';
import { Consumer } from '../config/schema/access.ts';
import { Agent } from '../config/schema/agents.ts';
import { ModelRoute, Provider } from '../config/schema/models.ts';
import { Server, Service, VirtualServer } from '../config/schema/tools.ts';
import { plainSchema } from './plain-schema.ts';

/** A kind of entry, as the API names and describes it. */
export interface EntryKind {
  readonly kind: string;
  /** For one: `service`. */
  readonly noun: string;
  /** For operationIds: `Service`. */
  readonly word: string;
  readonly plural: string;
  /** What an entry is, for whoever reads the description. */
  readonly about: string;
  /** Names that an entry may have. */
  readonly format: string;
  /** What a PUT takes; absent where this release serves nothing that is stored. */
  readonly schema?: object;
}

/** All kinds of DESIGN 2.5, in its order. */
export const KINDS: readonly EntryKind[] = [
  {
    kind: 'providers',
    noun: 'provider',
    word: 'Provider',
    plural: 'Providers',
    about: 'An account at a vendor of models, which routes of models name as the provider of a target.',
    format: 'entry',
    schema: plainSchema(Provider),
  },
  {
    kind: 'models',
    noun: 'model route',
    word: 'Model',
    plural: 'Models',
    about:
      'A route of the models lane: which calls it takes, and the provider that answers them. Routes of the files are tried first, then those of the store by name.',
    format: 'entry',
    schema: plainSchema(ModelRoute, { without: ['name'] }),
  },
  {
    kind: 'services',
    noun: 'service',
    word: 'Service',
    plural: 'Services',
    about: 'An HTTP API described by an OpenAPI document, served as an MCP server at /mcp/NAME.',
    format: 'name',
    schema: plainSchema(Service, { without: ['spec', 'overlays'] }),
  },
  {
    kind: 'servers',
    noun: 'server',
    word: 'Server',
    plural: 'Servers',
    about: 'Another source of tools: an upstream MCP server or an extension.',
    format: 'name',
    schema: plainSchema(Server),
  },
  {
    kind: 'agents',
    noun: 'agent',
    word: 'Agent',
    plural: 'Agents',
    about: 'An A2A agent, served at /a2a/NAME.',
    format: 'name',
    schema: plainSchema(Agent),
  },
  {
    kind: 'virtual-servers',
    noun: 'virtual server',
    word: 'VirtualServer',
    plural: 'VirtualServers',
    about: 'A named selection of tools with an access list of its own, served at /mcp/NAME.',
    format: 'name',
    schema: plainSchema(VirtualServer),
  },
  {
    kind: 'consumers',
    noun: 'consumer',
    word: 'Consumer',
    plural: 'Consumers',
    about: 'One who may call: a person, a team or an application.',
    format: 'consumer',
    schema: plainSchema(Consumer, { without: ['name'] }),
  },
  { kind: 'policies', noun: 'policy', word: 'Policy', plural: 'Policies', about: 'A policy that every call passes.', format: 'entry' },
];

/** Kinds whose entries share one namespace, since all are at `/mcp/{name}` (DESIGN 2.2). */
export const ONE_NAMESPACE: readonly string[] = ['services', 'servers', 'agents', 'virtual-servers'];

/** Why a name cannot be one of this kind; undefined when it can. */
export function nameFault({ format }: EntryKind, name: string): string | undefined {
  const rule = FORMATS.get(format);
  return rule === undefined || rule.test(name) ? undefined : rule.hint;
}
