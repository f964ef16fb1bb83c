import { expect } from 'vitest';
import type { Checks } from './checks.ts';

const SUBJECTS = ['invoice', 'flight', 'lamp', 'song', 'recipe'];
const VERBS = ['list', 'get', 'create', 'update', 'delete', 'share', 'print', 'move', 'copy', 'count'];
const NAMES = [...SUBJECTS.flatMap((subject) => VERBS.map((verb) => `${verb}_${subject}`)), 'session_end', 'get_current_user'];
const TOOLS = NAMES.map((name) => ({
  type: 'function',
  function: { name, description: `To ${name.replaceAll('_', ' ')}`, parameters: { type: 'object' } },
}));

export const toolSelectionChecks: Checks = {
  'Tool selection: the tools of a request cut to the relevant ones': {
    async assert({ chat, mock, explain }) {
      const text = 'play the song that I liked and share it with a friend of mine';
      const record = await (await chat('gpt-mock', { text, body: { tools: TOOLS } })).record();
      const [sent] = mock('openai').requests;
      const names = (sent!.body.tools as typeof TOOLS).map((tool) => tool.function.name);
      expect(names).toEqual(NAMES.filter((name) => names.includes(name)));
      expect(names).toEqual(expect.arrayContaining(['share_song', 'session_end', 'get_current_user']));
      expect(names).toHaveLength(22);
      const event = record.events.find(({ type }) => type === 'selected');
      expect(event?.detail).toBe(`${names.length} of ${NAMES.length} tools by hubgate-static-en@2`);
      expect(await explain({ model: 'gpt-mock' })).toContainEqual({
        rule: 'tool-selection: 20 of more than 40 tools',
        effect: 'info',
        value: 'hubgate-static-en@2',
      });
      const tried = await (await chat('trial', { text, body: { tools: TOOLS } })).record();
      expect(mock('openai').requests.at(-1)!.body.tools).toHaveLength(NAMES.length);
      expect(tried.events.find(({ type }) => type === 'selected')?.detail).toMatch(/^dry run: \d+ of 52 tools by /);
    },
  },
};
