import { hash } from 'node:crypto';
import type { Consumer } from '../../../core/consumer.ts';
import type { TextIndex } from '../../../core/contracts/semantics.ts';
import type { JsonObject } from '../../../core/json.ts';
import { isVisible, seesSkill, skillsOf } from '../calls/admit.ts';
import { shownCard } from '../calls/public-card.ts';
import type { AgentsHost } from '../host.ts';
import { cardOf, type Agent } from '../registry/agent.ts';
import { rankAgents, textsOf, type AgentText, type FoundAgents, type ShownAgent } from './found-agents.ts';

/** All agents of one generation. */
type Agents = ReadonlyMap<string, Agent>;

/** What one caller may know of an agent. */
interface Seen {
  readonly agent: Agent;
  /** The agent's own. */
  readonly card: JsonObject;
  /** Those on it that this caller may use. */
  readonly skills: ReadonlySet<JsonObject>;
}

/** The texts of what one set of callers sees. */
interface Catalogue {
  readonly agents: readonly ShownAgent[];
  readonly texts: readonly AgentText[];
  readonly index: TextIndex;
}

/** What was made for the callers of one generation. */
interface Known {
  /** By what is seen; the one that was asked last is the last. */
  readonly catalogues: Map<string, Catalogue>;
  /** What a caller sees, as long as no card has changed: to ask every rule again would take longer the more there is that he may not see. */
  readonly sights: WeakMap<Consumer, { readonly cards: string; readonly key: string }>;
}

/** How many texts are asked for: for each agent that is wanted, at least, and how many times as many where they were of too few agents. */
const TEXTS_FOR_ONE = 20;
const FEWEST_TEXTS = 200;
const FURTHER = 8;

/** How many sets of callers, who see the same, have an index of their own at a time. */
const MOST_CATALOGUES = 32;

/**
 * Finds agents by words and meaning. What a caller may not see is in no index that is asked for him, so that it changes no score and no order. Callers
 * who see the same share an index; another card or configuration is another one.
 */
export class AgentSearch {
  readonly #host: Pick<AgentsHost, 'semantics' | 'base' | 'isOpen'>;
  readonly #known = new WeakMap<Agents, Known>();

  constructor(host: Pick<AgentsHost, 'semantics' | 'base' | 'isOpen'>) {
    this.#host = host;
  }

  /** The best `top` of the agents that the consumer may call; those whose card is not known yet are left out. */
  async search(agents: Agents, consumer: Consumer, query: string, top: number, signal?: AbortSignal): Promise<FoundAgents> {
    const base = this.#host.base();
    const { agents: shown, texts, index } = this.#catalogueOf(agents, consumer, base);
    for (let most = Math.max(top * TEXTS_FOR_ONE, FEWEST_TEXTS); ; most *= FURTHER) {
      const { hits, degraded } = await index.find(query, Math.min(most, index.size), signal);
      const found = rankAgents(shown, texts, hits, { base, top });
      // All texts of a few agents may fit better than the first of the next one.
      if (found.length < top && hits.length >= most && most < index.size) continue;
      return { agents: found, ...(degraded === undefined ? {} : { degraded }) };
    }
  }

  #catalogueOf(agents: Agents, consumer: Consumer, base: string): Catalogue {
    const known = this.#known.get(agents) ?? { catalogues: new Map<string, Catalogue>(), sights: new WeakMap() };
    this.#known.set(agents, known);
    const { catalogues, sights } = known;
    const cards = [base, ...[...agents.values()].flatMap(versionsOf)].join(' ');
    const sight = sights.get(consumer);
    let key = sight?.cards === cards ? sight.key : '';
    let catalogue = catalogues.get(key);
    if (catalogue === undefined) {
      const seen = seenBy(agents, consumer);
      key = keyOf(seen, base);
      catalogue = catalogues.get(key) ?? this.#make(seen, base);
      sights.set(consumer, { cards, key });
    }
    catalogues.delete(key);
    catalogues.set(key, catalogue);
    const [oldest] = catalogues.keys();
    if (catalogues.size > MOST_CATALOGUES) catalogues.delete(oldest!);
    return catalogue;
  }

  #make(seen: readonly Seen[], base: string): Catalogue {
    const agents = seen.map(({ agent, card, skills }) => ({
      name: agent.name,
      card: shownCard(agent, card, (skill) => skills.has(skill), base, this.#host),
    }));
    const texts = textsOf(agents);
    return { agents, texts, index: this.#host.semantics.index(texts) };
  }
}

function seenBy(agents: Agents, consumer: Consumer): Seen[] {
  return [...agents.values()].flatMap((agent) => {
    const card = isVisible(agent, consumer) ? cardOf(agent) : undefined;
    if (card === undefined) return [];
    return [{ agent, card, skills: new Set(skillsOf(card).filter((skill) => seesSkill(agent, consumer, skill))) }];
  });
}

/** All that the texts hang on inside one generation: addresses of every instance are taken out of them. */
function keyOf(seen: readonly Seen[], base: string): string {
  const parts = seen.map(({ agent, card, skills }) => [agent.name, versionsOf(agent), skillsOf(card).map((skill) => skills.has(skill))]);
  return hash('sha256', JSON.stringify([base, parts]), 'base64url');
}

function versionsOf({ instances }: Agent): string[] {
  return instances.map(({ source }) => source.snapshot.version);
}
