import type { Hub } from '../hub.ts';
import { Lanes } from './lanes.ts';

/** The lanes of a hub, with what it lends them. To be made when the parts of the hub are there. */
export function lanesOf(hub: Hub, secretKey: Buffer): Lanes {
  const { http, log, gauges, semantics, store, recording, redactor } = hub;
  return new Lanes(
    {
      http,
      log,
      gauges,
      semantics,
      store,
      ledger: recording.ledger,
      secretKey,
      redact: (text) => redactor.redact(text),
      addSecret: (value) => redactor.add(value),
      url: () => hub.url,
      publicUrl: () => hub.now?.merged.config.publicUrl,
      isOpen: () => hub.now?.directory.open === true,
      consumer: (name) => hub.consumer(name),
    },
    () => {
      const { generation, leave } = hub.slot.enter();
      return { ...generation.content, leave };
    },
  );
}
