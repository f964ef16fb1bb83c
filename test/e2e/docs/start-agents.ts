import type { ServerResponse } from 'node:http';
import type { Document } from 'yaml';
import { startAgent, type RawAgent } from '../agents/_agent.ts';
import { sendJson, startEchoServer, type RecordedRequest } from '../../support/echo-server.ts';

/** The HTTP application behind an entry of `agents` with `rest`. */
export interface AppMock {
  readonly requests: readonly RecordedRequest[];
  /** What is answered from now on; `{}` before. */
  answer: (request: RecordedRequest, response: ServerResponse) => void;
}

export interface ExampleAgent {
  readonly card?: string;
  readonly targets?: readonly { readonly card: string }[];
  readonly rest?: { readonly url?: string };
}

export interface AgentStandIns {
  /** By the host that the example names. */
  readonly agents: ReadonlyMap<string, RawAgent>;
  /** By the entry of `agents`. */
  readonly apps: ReadonlyMap<string, AppMock>;
  readonly stops: readonly (() => Promise<void>)[];
}

/** Skills that the agents of the examples have. */
const SKILLS = ['search-flights', 'book-flight'].map((id) => ({ id, name: id, description: `Does ${id}`, tags: ['travel'] }));

/** Puts an agent in the place of each host of a card, and an application in the place of each `rest`; changes the addresses in the configuration. */
export async function startAgents(entries: Readonly<Record<string, ExampleAgent>>, document: Document): Promise<AgentStandIns> {
  const agents = new Map<string, RawAgent>();
  const apps = new Map<string, AppMock>();
  const stops: (() => Promise<void>)[] = [];
  const place = async (card: string, path: readonly (string | number)[]): Promise<void> => {
    if (!card.startsWith('https:')) return;
    const { host, pathname } = new URL(card);
    const agent = agents.get(host) ?? (await startAgent({ skills: SKILLS, ...(pathname === '/' ? {} : { cardPath: pathname }) }));
    agents.set(host, agent);
    document.setIn(path, `${agent.url}${pathname === '/' ? '' : pathname}`);
  };
  for (const [name, { card, targets = [], rest }] of Object.entries(entries)) {
    if (card !== undefined) await place(card, ['agents', name, 'card']);
    for (const [index, target] of targets.entries()) await place(target.card, ['agents', name, 'targets', index, 'card']);
    const jwks = document.getIn(['agents', name, 'signatures', 'jwks']);
    if (typeof jwks === 'string') await place(jwks, ['agents', name, 'signatures', 'jwks']);
    if (rest === undefined) continue;
    const server = await startEchoServer((request, response) => app.answer(request, response));
    const app: AppMock = { requests: server.requests, answer: (_request, response) => sendJson(response, 200, {}) };
    apps.set(name, app);
    stops.push(server.stop);
    document.setIn(
      ['agents', name, 'rest', 'url'],
      `${server.url}${rest.url === undefined ? '' : new URL(rest.url).pathname.replace(/\/$/, '')}`,
    );
  }
  return { agents, apps, stops: [...stops, ...[...agents.values()].map((agent) => agent.stop)] };
}
