import type { CallRecord } from '../../../src/core/contracts/call-log.ts';
import { expect } from 'vitest';
import { askAdmin } from '../../support/ask-admin.ts';
import { type Mock, type Mocks, startMocks } from '../../support/mock-providers/server.mjs';
import { type Hub, type HubOptions, startHub } from '../../support/start-hub.ts';

/** The environment of hubs and commands. */
export const SECRETS = { VENDOR_KEY: 'sk-mock' };
export const apiKey = '${env:VENDOR_KEY}';
/** How long a story waits for what comes in its time: records are written after the call, checks of health come when they are due. */
export const PATIENCE = { timeout: 10_000, interval: 10 };

/** One target in `GET /admin/v1/status`. */
export interface ShownTarget {
  readonly route: string;
  readonly provider: string;
  readonly model?: string;
  readonly fallback?: number;
  readonly weight: number;
  readonly health: string;
  readonly breaker: string;
  readonly inFlight: number;
  readonly samples: number;
  readonly errorRate: number;
  readonly latencyMs?: number;
  readonly firstChunkMs?: number;
  readonly retryAt?: number;
  readonly keys?: readonly { readonly label: string; readonly state: string; readonly until?: number }[];
}

/** A hub before mocks that each stand for an upstream of their own, whatever they speak. */
export interface Stage {
  readonly hub: Hub;
  readonly arms: readonly Mocks[];
  /** The record of a call, waited for. */
  record(id: string): Promise<CallRecord>;
  /** As the status shows it now. Throws when it does not. */
  target(route: string, provider: string): Promise<ShownTarget>;
  /** Waits until the status shows it so. */
  becomes(route: string, provider: string, what: object): Promise<void>;
  /** Everything that the hub shows people and programs: log, status, records. */
  shown(): Promise<string>;
  reset(): void;
  stop(): Promise<void>;
}

export interface StageOptions extends Partial<HubOptions> {
  /** How many upstreams of each kind. Default: 2. */
  readonly arms?: number;
  readonly only?: readonly string[];
  readonly config: (arms: readonly Mocks[]) => object;
}

/** JSON is YAML; on many lines, so that places differ. */
export async function startStage({ arms: count = 2, only = ['openai'], config, env, ...options }: StageOptions): Promise<Stage> {
  const arms = await Promise.all(Array.from({ length: count }, () => startMocks({ only: [...only] })));
  const closeArms = async (): Promise<void> => void (await Promise.all(arms.map((arm) => arm.close())));
  const files = { 'hubgate.yaml': JSON.stringify(config(arms), null, 2), ...options.files };
  const hub = await startHub({ ...options, files, env: { ...SECRETS, ...env } }).catch(async (error: unknown) => {
    await closeArms();
    throw error;
  });
  const list = async (query: string): Promise<readonly CallRecord[]> => (await askAdmin(hub, 'GET', `/calls?${query}`)).body.items;
  const targets = async (): Promise<readonly ShownTarget[]> => (await askAdmin(hub, 'GET', '/status')).body.targets;
  const target = async (route: string, provider: string): Promise<ShownTarget> => {
    const found = (await targets()).find((one) => one.route === route && one.provider === provider);
    if (found === undefined) throw new Error(`the status shows no target ${provider} of ${route}`);
    return found;
  };
  return {
    hub,
    arms,
    target,
    async record(id) {
      await expect.poll(() => list(`id=${id}`), PATIENCE).toHaveLength(1);
      return (await list(`id=${id}`))[0]!;
    },
    async becomes(route, provider, what) {
      await expect.poll(() => target(route, provider), PATIENCE).toMatchObject(what);
    },
    async shown() {
      const answers = await Promise.all(['/status', '/calls?limit=1000', '/providers'].map((path) => askAdmin(hub, 'GET', path)));
      return [hub.stdout(), hub.stderr(), ...answers.map(({ text }) => text)].join('\n');
    },
    reset: () => arms.forEach((arm) => arm.reset()),
    async stop() {
      await hub.stop();
      await closeArms();
    },
  };
}

export const openai = (mock: Mock, more: object = {}): object => ({ type: 'openai', baseUrl: `${mock.url}/v1`, apiKey, ...more });
export const anthropic = (mock: Mock, more: object = {}): object => ({ type: 'anthropic', baseUrl: mock.url, apiKey, ...more });

/** How many calls of models reached a mock: checks of health are none. */
export const callsAt = (mock: Mock): number => mock.requests.filter(({ method }) => method === 'POST').length;

export const eventTypes = ({ events }: CallRecord): readonly string[] => events.map(({ type }) => type);
