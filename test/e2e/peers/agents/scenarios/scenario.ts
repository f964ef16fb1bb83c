import type { Peer } from '../client.ts';
import type { Webhook } from '../webhook.ts';

/** What a scenario has to work with. */
export interface Scene extends Peer {
  /** A webhook of its own, closed when the scenario has ended. */
  webhook(): Promise<Webhook>;
}

export interface Scenario {
  readonly name: string;
  /** Only callers of 1.0 have words for it. */
  readonly only?: '1.0';
  /** What the caller sees, without what differs each time: it must be the same through a hub. Throws for what is wrong anywhere. */
  run(scene: Scene): Promise<unknown>;
}
