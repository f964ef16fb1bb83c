import assert from 'node:assert/strict';
import { readCard } from '../client.ts';
import type { Scenario } from './scenario.ts';

export const CARDS: readonly Scenario[] = [
  {
    name: 'the card names its own origin alone',
    async run({ door, speech }) {
      const card = await readCard(door, speech.version);
      const { origin } = new URL(door.base);
      const places = JSON.stringify(card).match(/https?:\/\/(?:127\.0\.0\.1|localhost)[^/"]*/g) ?? [];
      assert.deepEqual([...new Set(places)], [origin]);
      return { name: typeof card['name'], skills: Array.isArray(card['skills']) };
    },
  },
  {
    name: 'the extended card',
    async run({ client, options }) {
      const card = await client.getAgentCard(options);
      return card.skills.map(({ id }) => id);
    },
  },
];
