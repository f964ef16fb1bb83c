import type { ProviderConfig } from '../../../config/types.ts';
import { providerOptions } from '../../../core/contracts/provider.ts';
import { GatewayError } from '../../../core/errors.ts';
import { KeyRing } from '../../../upstreams/health/key-ring.ts';
import type { ModelsBuildHost, ModelsHost } from '../host.ts';
import { openAccount, type Account, type Accounts } from './account.ts';

/** Opens an entry of `providers` under each of its keys. Throws GatewayError `bad_request` for what the entry has wrong. */
export async function openAccounts(
  { name, config, fingerprint, trust }: Pick<Accounts, 'name' | 'config' | 'fingerprint' | 'trust'>,
  host: ModelsHost,
  lent: ModelsBuildHost,
): Promise<Accounts> {
  const options = providerOptions(config);
  const { keys = [] } = config;
  if (keys.length > 0 && config.apiKey !== undefined)
    throw new GatewayError('bad_request', `The provider ${name} has apiKey and keys: put the key of apiKey into keys.`);
  if (keys.length > 0 && keys.every(({ weight }) => weight === 0))
    throw new GatewayError('bad_request', `All keys of the provider ${name} have weight 0: give one of them more.`);
  const all: Account[] = [];
  for (const one of keys.length === 0 ? [options] : keys.map(({ key }) => ({ ...options, apiKey: key }))) {
    const provider = await lent.createProvider(config.type, name, one);
    if (trust === 'public' && !/^(?:https?|demo):/.test(provider.origin))
      throw new GatewayError('bad_request', 'What the provider calls must be an http: or https: address.');
    all.push(openAccount(name, config, provider, trust, host));
  }
  return { name, type: config.type, config, fingerprint, trust, all: all as [Account, ...Account[]], ring: ringOf(keys) };
}

function ringOf(keys: NonNullable<ProviderConfig['keys']>): KeyRing {
  if (keys.length === 0) return new KeyRing([{ label: 'apiKey' }]);
  return new KeyRing(
    keys.map(({ label, weight }, index) => ({ label: label ?? `key ${index + 1}`, ...(weight === undefined ? {} : { weight }) })),
  );
}
