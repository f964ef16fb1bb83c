import type { Degraded, Findable, Hit } from '../../../core/contracts/semantics.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import { skillsOf } from '../calls/admit.ts';

/** What a search answers. Plain JSON. */
export interface FoundAgents extends JsonObject {
  /** Best first. */
  readonly agents: readonly FoundAgent[];
  /** Only when the model that was asked for is not the one that answered. */
  readonly degraded?: Degraded;
}

export interface FoundAgent {
  /** By which it is called. */
  readonly name: string;
  /** Its name on its card, where that is another. */
  readonly title?: string;
  readonly description: string;
  /** Where it is called. */
  readonly url: string;
  /** The address of its card, which has all of its skills. */
  readonly card: string;
  /** From 0 to 1, comparable inside one answer only: that of the best of its texts. */
  readonly score: number;
  /** Those that fit best, best first. */
  readonly skills: readonly FoundSkill[];
  /** Words of the query that it has, in their stems; absent when it was found by meaning alone. */
  readonly words?: readonly string[];
}

export interface FoundSkill {
  readonly id: string;
  readonly name: string;
  readonly description: string;
}

/** An agent as one caller sees it. */
export interface ShownAgent {
  readonly name: string;
  /** As `shownCard` writes it. */
  readonly card: JsonObject;
}

/** A text that an agent is found by: that of the agent itself, or of one of its skills. */
export interface AgentText extends Findable {
  /** Of the agent in the list. */
  readonly agent: number;
  /** Of the skill on its card; absent for the text of the agent. */
  readonly skill?: number;
}

const MOST_SKILLS = 5;
/** Of one skill: each costs a vector, and how many there are is for the agent to say. */
const MOST_EXAMPLES = 10;

/** What agents are found by: a text for each, which has the words of all its skills, and one for each skill. */
export function textsOf(agents: readonly ShownAgent[]): AgentText[] {
  return agents.flatMap(({ name, card }, agent) => {
    const skills = skillsOf(card);
    const title = String(card['name']);
    const maker = isObject(card['provider']) ? [String(card['provider']['organization'])] : [];
    const own = { agent, name: title, description: String(card['description']) };
    return [
      { ...own, words: [name, ...maker, ...skills.flatMap((skill) => [String(skill['name']), ...strings(skill['tags'])])] },
      ...skills.map((one, skill) => ({
        agent,
        skill,
        name: String(one['name']),
        description: String(one['description']),
        words: [String(one['id']), name, title, ...strings(one['tags'])],
        examples: strings(one['examples']).slice(0, MOST_EXAMPLES),
      })),
    ];
  });
}

/** The best `top` of the agents, by the best text of each. `hits` are of `texts`, best first; `base` is where the hub is reached. */
export function rankAgents(
  agents: readonly ShownAgent[],
  texts: readonly AgentText[],
  hits: readonly Hit[],
  { base, top }: { readonly base: string; readonly top: number },
): FoundAgent[] {
  const found = new Map<number, { readonly score: number; readonly skills: Set<number>; readonly words: Set<string> }>();
  for (const { index, score, words } of hits) {
    const { agent, skill } = texts[index]!;
    const known = found.get(agent) ?? { score, skills: new Set(), words: new Set() };
    found.set(agent, known);
    if (skill !== undefined) known.skills.add(skill);
    for (const word of words) known.words.add(word);
  }
  return [...found].slice(0, top).map(([agent, { score, skills, words }]) => {
    const { name, card } = agents[agent]!;
    const onCard = skillsOf(card);
    const inOrder = [...new Set([...skills, ...onCard.keys()])].slice(0, MOST_SKILLS);
    const url = `${base}/a2a/${name}`;
    const title = String(card['name']);
    return {
      name,
      ...(title === name ? {} : { title }),
      description: String(card['description']),
      url,
      card: `${url}/.well-known/agent-card.json`,
      score: Number(score.toFixed(4)),
      skills: inOrder.map((place) => foundSkill(onCard[place]!)),
      ...(words.size === 0 ? {} : { words: [...words] }),
    };
  });
}

function foundSkill({ id, name, description }: JsonObject): FoundSkill {
  return { id: String(id), name: String(name), description: String(description) };
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
