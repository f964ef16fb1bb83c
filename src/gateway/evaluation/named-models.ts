import { GatewayError } from '../../core/errors.ts';

/** The name of a folder where models are, of the bundled model or of an extension; `auto` and `none`. */
const BARE = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Every model that a configuration names: of searches, of intents and of policies. Some are models of providers, which nobody asks for as embeddings. */
export function namedModels(config: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      // Policies of operators may call theirs otherwise.
      if (typeof inner === 'string' && /model$/i.test(key)) names.add(inner);
      else walk(inner);
    }
  };
  walk(config);
  return names;
}

/**
 * What an evaluation may ask for. A path would let whoever asks read folders of the machine, and `hub:` send texts away: those are for the configuration to name.
 * Throws GatewayError `bad_request`.
 */
export function checkModelName(model: string | undefined, config: unknown): void {
  if (model === undefined || BARE.test(model) || namedModels(config).has(model)) return;
  throw new GatewayError(
    'bad_request',
    'A model that the configuration does not name is asked for by the name of its folder where models are; paths and hub:NAME only where the configuration has them.',
  );
}
