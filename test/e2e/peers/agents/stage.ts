import { createHash } from 'node:crypto';
import { type Hub, startHub } from '../../../support/start-hub.ts';
import type { Door } from './client.ts';
import { type FixtureAgent, type FixtureOptions, startFixtureAgent } from './fixture-agent.ts';
import { APPLICATION_KEY, applicationAgents, startHttpApplication } from './http-application.ts';

const AGENT_TOKEN = 'agent-token-of-the-test';

/** A consumer of the hubs of these tests. */
export const consumerOf = (name: string): { readonly key: string; readonly entry: unknown } => {
  const key = `hg_test_key_of_${name}`;
  return { key, entry: { name, keys: [{ sha256: createHash('sha256').update(key).digest('hex') }] } };
};

export const AGENTS: Readonly<Record<string, Pick<FixtureOptions, 'versions' | 'bindings'> | undefined>> = {
  'v10-jsonrpc': { versions: ['1.0'], bindings: ['JSONRPC'] },
  'v10-http': { versions: ['1.0'], bindings: ['HTTP+JSON'] },
  both: { versions: ['1.0', '0.3'], bindings: ['JSONRPC', 'HTTP+JSON'] },
  'v03-jsonrpc': { versions: ['0.3'], bindings: ['JSONRPC'] },
  'v03-http': { versions: ['0.3'], bindings: ['HTTP+JSON'] },
  // HTTP applications, which nobody can call as an agent but through the hub.
  'app-streamed': undefined,
  'app-polled': undefined,
};

/** What the table runs on. */
export interface Stage {
  readonly hub: Hub;
  /** The agent's own door; undefined for applications. */
  direct(agent: string): Door | undefined;
  through(agent: string): Door;
  stop(): Promise<void>;
}

export async function startStage(): Promise<Stage> {
  const application = await startHttpApplication();
  const fixtures = new Map<string, FixtureAgent>();
  const stopOthers = async (): Promise<void> => {
    application.close();
    for (const fixture of fixtures.values()) await fixture.kill();
  };
  try {
    for (const [name, speaks] of Object.entries(AGENTS))
      if (speaks !== undefined) fixtures.set(name, await startFixtureAgent({ ...speaks, token: AGENT_TOKEN }));
    const alice = consumerOf('alice');
    const hub = await startHub({
      files: {
        'hubgate.yaml': JSON.stringify({
          // Webhooks of callers are on this machine.
          egress: { allow: ['127.0.0.0/8'] },
          agents: {
            ...Object.fromEntries([...fixtures].map(([name, { url }]) => [name, { card: url, auth: { bearer: '${env:AGENT_TOKEN}' } }])),
            ...applicationAgents(application),
          },
          consumers: [alice.entry],
        }),
      },
      env: { AGENT_TOKEN, APPLICATION_KEY },
    });
    return {
      hub,
      direct(agent) {
        const fixture = fixtures.get(agent);
        return fixture && { base: fixture.url, authorization: `Bearer ${AGENT_TOKEN}` };
      },
      through: (agent) => ({ base: `${hub.url}/a2a/${agent}`, authorization: `Bearer ${alice.key}` }),
      async stop() {
        await hub.stop();
        await stopOthers();
      },
    };
  } catch (error) {
    await stopOthers();
    throw error;
  }
}
