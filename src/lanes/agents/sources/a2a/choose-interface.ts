import type { AgentLine } from '../../../../core/contracts/agent-source.ts';
import type { CardInterface } from '../../cards/read-card.ts';
import { BINDINGS, VERSIONS, type BindingName, type Wire } from '../../wires/wire.ts';
import { wireOf } from '../../wires/wires.ts';
import { isSameOrigin, readAddress, type Address } from './address.ts';

/** The way to call an agent. */
export interface CalledInterface {
  readonly wire: Wire;
  readonly address: Address;
  /** What the agent wants to hear in place of the caller's own. */
  readonly tenant: string | undefined;
}

/** What decides which interfaces of a card are called. */
export interface CallableFacts {
  /** The origin of the card: no card from elsewhere leads to a service inside the process. */
  readonly home: string;
  readonly bindings?: readonly BindingName[] | undefined;
  /** Requests carry the hub's credentials, which are for the origin of the card alone: a card must not be able to send them elsewhere, or in the clear. */
  readonly hasCredentials: boolean;
}

/**
 * The interfaces that the hub can call, the best first: of the newest version that it speaks, by the first of `bindings`, else in the order of the card
 * (specification 8.3.1: the first is the one that the agent prefers). `refused` has the origins of those that only credentials keep from being called.
 */
export function callable(
  interfaces: readonly CardInterface[],
  { home, bindings, hasCredentials }: CallableFacts,
): { readonly interfaces: readonly CalledInterface[]; readonly refused: ReadonlySet<string> } {
  const refused = new Set<string>();
  const order = new Set(
    bindings ?? interfaces.map(({ binding }) => BINDINGS.find((one) => one === binding)).filter((one) => one !== undefined),
  );
  const found = VERSIONS.flatMap((version) =>
    [...order].flatMap((binding) =>
      interfaces.flatMap(({ url, tenant, ...said }): CalledInterface[] => {
        const address = said.binding === binding && said.version === version ? readAddress(url) : undefined;
        if (address === undefined || (address.origin.startsWith('demo:') && address.origin !== home)) return [];
        if (!hasCredentials || isSameOrigin(address.origin, home)) return [{ wire: wireOf(version, binding), address, tenant }];
        refused.add(address.origin);
        return [];
      }),
    ),
  );
  return { interfaces: found, refused };
}

/** The one for a caller: what it speaks itself needs no translation, in which something may be lost. Undefined when there is none at all. */
export function chooseInterface(known: readonly CalledInterface[], speaks: AgentLine['speaks']): CalledInterface | undefined {
  const sameVersion = known.filter(({ wire }) => wire.version === speaks?.version);
  return sameVersion.find(({ wire }) => wire.binding === speaks?.binding) ?? sameVersion[0] ?? known[0];
}
