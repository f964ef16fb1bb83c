import type { Consumer } from '../../../core/consumer.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import { seesSkill } from './admit.ts';
import { writeCard } from '../cards/write-card.ts';
import type { Agent } from '../registry/agent.ts';
import { BINDINGS, VERSIONS } from '../wires/wire.ts';
import type { Serving } from './serving.ts';

export const JWKS_PATH = '/.well-known/jwks.json';

type CardServing = Pick<Serving, 'signer' | 'isOpen'>;

/** The card as a consumer gets it, in the shape of 1.0 and signed: `own` is what the agent says, `base` where the hub is reached. */
export function publicCard(agent: Agent, own: JsonObject, consumer: Consumer, base: string, serving: CardServing): JsonObject {
  const card = shownCard(agent, own, (skill) => seesSkill(agent, consumer, skill), base, serving);
  return serving.signer.sign(card, `${base}${JWKS_PATH}`);
}

/** The same without a signature, with the skills that `sees` takes. */
export function shownCard(
  { name, config, instances }: Agent,
  own: JsonObject,
  sees: (skill: JsonObject) => boolean,
  base: string,
  { isOpen }: Pick<CardServing, 'isOpen'>,
): JsonObject {
  const can = capabilities(own);
  const addresses = [config.card, ...(config.targets ?? []).map(({ card }) => card), config.rest?.url, config.rest?.spec];
  return writeCard(own, {
    base: `${base}/a2a/${name}`,
    bindings: BINDINGS,
    versions: VERSIONS,
    security: isOpen() ? 'open' : 'keys',
    description: config.description,
    icons: config.icons,
    skills: sees,
    streaming: can('streaming'),
    pushNotifications: can('pushNotifications'),
    extendedAgentCard: can('extendedAgentCard'),
    extensions: (uri) => config.extensions?.includes(uri) ?? true,
    // Where the configuration says that the agent is: nobody who calls it needs to know.
    internal: [...instances.flatMap(addressesOf), ...addresses.filter((address) => address !== undefined)],
  });
}

/** What the agent says that it can do. */
export function capabilities({
  capabilities: said,
}: JsonObject): (name: 'streaming' | 'pushNotifications' | 'extendedAgentCard') => boolean {
  return (name) => isObject(said) && said[name] === true;
}

/** Of all instances, whichever of them speaks for the agent. */
function addressesOf({ source }: Agent['instances'][number]): string[] {
  const { supportedInterfaces } = source.snapshot.card ?? {};
  const interfaces = Array.isArray(supportedInterfaces) ? supportedInterfaces.filter(isObject) : [];
  return [source.upstream, ...interfaces.map(({ url }) => String(url))];
}
