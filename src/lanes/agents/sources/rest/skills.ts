import type { AgentRestConfig } from '../../../../config/types.ts';
import type { UpstreamRequest } from '../../../../core/upstream.ts';
import { agentError } from '../../wires/agent-errors.ts';
import type { Exchange } from './exchange.ts';
import type { RestSettings } from './message-values.ts';
import { operationExchange, type OperationCaller } from './operation-caller.ts';
import type { CardSkill } from './rest-card.ts';
import { withPreset } from './template/presets.ts';
import { templateExchange } from './template-exchange.ts';
import { TemplateError } from './template/template.ts';

/** What an agent can do, at one moment. */
export interface Skills {
  readonly onCard: readonly CardSkill[];
  /**
   * How a message for that skill is exchanged, for one that names none without `skill`: the agent's own way, or that of its only skill. Throws
   * AgentError InvalidParams.
   */
  choose(skill: string | undefined): Exchange;
}

/** Where an application is. */
export interface AppAddress {
  /** `http(s)://host[:port]`, or `demo:NAME`. */
  readonly origin: string;
  /** Without a slash at its end. */
  readonly path: string;
}

/** Of `rest.url`, or of the preset; services inside the process are for the operator's own files. Throws TemplateError. */
export function addressOf(config: AgentRestConfig, trust: UpstreamRequest['trust']): AppAddress {
  const { url } = withPreset(config);
  if (url === undefined) throw new TemplateError('rest: set url, where the application is, or spec, its OpenAPI document.');
  const [, service, below = ''] = (trust === 'operator' && /^(demo:[a-z][a-z0-9-]*)(\/[^?#]*)?$/.exec(url)) || [];
  if (service !== undefined) return { origin: service, path: below.replace(/\/+$/, '') };
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || `${parsed.search}${parsed.hash}${parsed.username}${parsed.password}` !== '')
    throw new TemplateError('rest.url: write http(s)://host/path, without user, password and query.');
  return { origin: parsed.origin, path: parsed.pathname.replace(/\/+$/, '') };
}

export interface SkillFacts {
  /** Of the agent. */
  readonly name: string;
  readonly description?: string | undefined;
  readonly config: AgentRestConfig;
  readonly trust: UpstreamRequest['trust'];
}

/** Skills by templates: those of the configuration, or one for the whole agent. Throws TemplateError. */
export function templateSkills({ name: agent, description, config, trust }: SkillFacts): Skills {
  const { request, response, stream, poll, cancel, answer, skills = [], model, app, instructions } = withPreset(config);
  const { path: base } = addressOf(config, trust);
  const settings: RestSettings = { model, app: app?.reveal(), instructions };
  if (config.preset === 'openai-chat' && model === undefined) throw new TemplateError('rest.model: openai-chat needs the name of a model.');
  if (config.preset === 'model-studio' && app === undefined)
    throw new TemplateError('rest.app: model-studio needs the id of the application.');
  // What stands on its own is `undefined` in neither: only what is there is laid over.
  const common = { request, response, stream, poll, cancel, answer };
  const own = request === undefined ? undefined : templateExchange({ agent, config: common, at: 'rest', base, settings });
  const named = new Map<string, Exchange>();
  for (const [index, skill] of skills.entries()) {
    const at = `rest.skills.${index}`;
    if (named.has(skill.id)) throw new TemplateError(`${at}.id: another skill has this id.`);
    named.set(skill.id, templateExchange({ agent, config: { ...common, ...skill }, at, base, settings }));
  }
  if (own === undefined && named.size === 0)
    throw new TemplateError('rest.request: say which request a message becomes, or set preset, skills or spec.');
  const onCard = skills.map(({ id, name = id, description: what, tags = [], examples }): CardSkill => ({
    id,
    name,
    description: what,
    tags,
    examples,
  }));
  const whole: CardSkill = { id: agent, name: agent, description: description ?? `Answers messages.`, tags: [] };
  if (own !== undefined && onCard.length === 0) named.set(agent, own);
  return { onCard: onCard.length === 0 ? [whole] : onCard, choose: (skill) => chosen(named, skill, own) };
}

/** One skill for each operation of the document. */
export function operationSkills(operations: OperationCaller): Skills {
  const { skills } = operations;
  const named = new Map(skills.map((skill) => [skill.id, operationExchange(operations, skill)]));
  return { onCard: skills, choose: (skill) => chosen(named, skill, undefined) };
}

function chosen(named: ReadonlyMap<string, Exchange>, skill: string | undefined, own: Exchange | undefined): Exchange {
  if (skill !== undefined) {
    const exchange = named.get(skill);
    // Others may not be for this caller's eyes: none is named.
    if (exchange === undefined)
      throw agentError('InvalidParams', `This agent has no skill "${skill.slice(0, 100)}". Its card lists the skills.`);
    return exchange;
  }
  const [only] = named.values();
  const exchange = own ?? (named.size === 1 ? only : undefined);
  if (exchange === undefined)
    throw agentError(
      'InvalidParams',
      'Say which skill is meant: as "skill" in the metadata of the message. The agent card lists the skills.',
    );
  return exchange;
}
