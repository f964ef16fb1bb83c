import type { Meter, State, Use } from '../../core/contracts/state.ts';

/**
 * A view of a state in which keys and topics are one owner's own: `NAMESPACE:` stands before them. A namespace holds no `:`. Closing it does
 * nothing. Meters that are kept and used again cost almost nothing; each that is new costs a microsecond or two.
 */
export function namespaced(state: State, namespace: string): State {
  const prefix = `${namespace}:`;
  const owned = new WeakMap<Meter, Meter>();
  const own = (meter: Meter): Meter => {
    let known = owned.get(meter);
    if (known === undefined) owned.set(meter, (known = { ...meter, key: prefix + meter.key }));
    return known;
  };
  return {
    take(uses) {
      const ownUses: Use[] = [];
      for (const { meter, amount } of uses) ownUses.push({ meter: own(meter), amount });
      return state.take(ownUses);
    },
    settle: (ticket, amounts) => state.settle(ticket, amounts),
    read: (meters) => state.read(meters.map(own)),
    get: (key) => state.get(prefix + key),
    set: (key, value, ttlMs) => state.set(prefix + key, value, ttlMs),
    delete: (key) => state.delete(prefix + key),
    publish: (topic, message) => state.publish(prefix + topic, message),
    subscribe: (topic, listener) => state.subscribe(prefix + topic, listener),
    close: async () => {},
  };
}
