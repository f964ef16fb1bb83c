import type { UpstreamRequest } from '../../../core/upstream.ts';
import { CHECK_TIMEOUT_MS, watchTarget } from '../../../upstreams/health/watch-target.ts';
import type { ModelsHost } from '../host.ts';
import type { Accounts } from './account.ts';
import type { ModelsGeneration } from './build.ts';
import type { ModelChoice } from './choice.ts';
import { gaugeKey } from './choice.ts';

/** Gives gauges the settings of their provider, asks those that have `health` again and again whether they are well, and tells. Gives the way to stop. */
export function startHealthChecks(generation: ModelsGeneration, host: ModelsHost): () => void {
  const stops = [...generation.accounts.values()].map((accounts) => {
    const gauges = [...choicesOf(generation)].filter((choice) => choice.accounts === accounts).map(({ gauge }) => gauge);
    return watchTarget(gauges, accounts.config, (signal) => check(accounts, signal, host));
  });
  return () => {
    for (const stop of stops) stop();
  };
}

/** The keys of the gauges of all targets. */
export function* gaugeKeys(generation: ModelsGeneration): Generator<string> {
  for (const { accounts, model } of choicesOf(generation)) yield gaugeKey(accounts.name, model);
}

function* choicesOf({ apis }: ModelsGeneration): Generator<ModelChoice> {
  for (const { routes } of apis.values()) for (const { plan } of routes) for (const { choices } of plan.pools) yield* choices;
}

/** Throws when there is no answer, or one that says that the server fails. */
async function check({ all, config }: Accounts, signal: AbortSignal, { http }: ModelsHost): Promise<void> {
  const [{ provider, request: own, signers }] = all;
  const path = config.health?.path ?? provider.models?.path ?? '/';
  const timeoutMs = config.health?.timeout ?? CHECK_TIMEOUT_MS;
  let request: UpstreamRequest = { ...own, method: 'GET', path, headers: { ...provider.models?.headers, ...own.headers }, timeoutMs };
  for (const signer of signers) request = await signer.sign(request, { refresh: false });
  const { status } = await http.send(request, { signal });
  if (status >= 500) throw new Error(`the check was answered ${status}`);
}
