import { type Mocks, startMocks } from '../../../support/mock-providers/server.mjs';
import { startHub } from '../../../support/start-hub.ts';
import type { Door } from './ask.ts';
import { PROVIDERS, type ProviderUnderTest, SECRETS } from './providers.ts';

/** What vendors do wrong is told as it is: nothing is tried again, and no target is left alone. */
const NEVER = { failures: 1_000_000, minimum: 1_000_000 };

/** How long the hub waits for a mock that is silent. */
const SILENCE_MS = 3_000;

/** What the table runs on: the mocks and one hub before all of them, or the mocks alone. */
export interface Stage {
  readonly mocks: Mocks;
  readonly direct: boolean;
  /** Where a client of the door goes to reach the provider; undefined: there is no way. */
  base(provider: ProviderUnderTest, door: Door): string | undefined;
  stop(): Promise<void>;
}

/** `HUBGATE_DIRECT=1` points the clients at the mocks themselves where they speak the same: it proves the cases, not the hub. */
export async function startStage(): Promise<Stage> {
  const mocks = await startMocks();
  if (process.env.HUBGATE_DIRECT === '1') {
    return { mocks, direct: true, base: (provider, door) => provider.direct?.(mocks)[door], stop: () => mocks.close() };
  }
  const hub = await startHub({ files: { 'hubgate.yaml': hubConfig(mocks) }, env: SECRETS }).catch(async (error: unknown) => {
    await mocks.close();
    throw error;
  });
  const stop = async (): Promise<void> => {
    await hub.stop();
    await mocks.close();
  };
  return { mocks, direct: false, base: () => hub.url, stop };
}

/** The name of the route that always takes one model of the provider. */
export const routeOf = (provider: ProviderUnderTest): string => `via-${provider.name.replace(' ', '-')}`;

/** One provider for each mock, with two routes: names of models pass through the one, the other has a name itself. JSON is YAML. */
function hubConfig(mocks: Mocks): string {
  const timeouts = { firstByte: `${SILENCE_MS}ms`, idle: `${SILENCE_MS}ms` };
  const key = (provider: ProviderUnderTest): string => provider.name.replace(' ', '-');
  return JSON.stringify({
    providers: Object.fromEntries(PROVIDERS.map((provider) => [key(provider), { ...provider.config(mocks), timeouts, breaker: NEVER }])),
    models: PROVIDERS.flatMap((provider) => [
      { match: { model: `${provider.model}*` }, targets: [{ provider: key(provider) }], retries: 0 },
      { name: routeOf(provider), targets: [{ provider: key(provider), model: `${provider.model}-forced` }], retries: 0 },
    ]),
  });
}
