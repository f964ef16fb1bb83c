import { SPEECHES, type Speech, speechName } from './client.ts';
import { FACTS } from './facts.ts';
import type { Outcome } from './matrix.ts';
import { SCENARIOS } from './scenarios/scenarios.ts';
import { AGENTS } from './stage.ts';

const INTRODUCTION = `# Agents: what works where

Written by the test \`test/e2e/peers/agents/clients.test.ts\`, which runs the official client (\`@a2a-js/sdk\`, for 0.3 its compatibility layer) against agents
of the official server, directly and through a hub: a cell says what that run saw, and the run fails when this page says something else. To write it
again: \`HUBGATE_WRITE_MATRIX=1 npx vitest run --config test/e2e/peers/vitest.config.ts agents/clients\`.

\`yes\`: through the hub the client gets the same as from the agent \`both\` itself, in the same words. A number: it does not, because of that fact, below.
`;

const WHAT: Readonly<Record<string, string>> = {
  'v10-jsonrpc': 'speaks A2A 1.0 over JSON-RPC, and nothing else',
  'v10-http': 'speaks 1.0 over HTTP+JSON, and nothing else',
  both: 'speaks 1.0 and 0.3, over both',
  'v03-jsonrpc': 'speaks 0.3 over JSON-RPC, and nothing else',
  'v03-http': 'speaks 0.3 over HTTP+JSON, and nothing else',
  'app-streamed': 'a plain HTTP service that answers with server-sent events ([`rest`](http-agents.md))',
  'app-polled': 'a plain HTTP service that works on jobs, which the hub asks about ([`rest`](http-agents.md))',
};

const REASONS = [...new Set(FACTS.map(({ why }) => why))];

/** docs/agents-matrix.md, as the outcomes of one run have it. */
export function matrixPage(outcomes: readonly Outcome[]): string {
  const tables = SPEECHES.map((speech) => {
    const scenarios = SCENARIOS.filter(({ only }) => only === undefined || only === speech.version);
    const rows = scenarios.map(({ name }) => [name, ...Object.keys(AGENTS).map((agent) => cell(outcomes, agent, speech, name))]);
    return `## A client of ${speechName(speech)}\n\n${table(['scenario', ...Object.keys(AGENTS)], rows)}`;
  });
  const facts = REASONS.map((why, i) => `${i + 1}. ${why}`).join('\n');
  const agents = table(
    ['agent', 'what'],
    Object.keys(AGENTS).map((agent) => [`\`${agent}\``, WHAT[agent] ?? '']),
  );
  return [INTRODUCTION, agents, ...tables, `## Facts\n\n${facts}\n`].join('\n');
}

function cell(outcomes: readonly Outcome[], agent: string, speech: Speech, name: string): string {
  const found = outcomes.find((one) => one.way === 'hub' && one.agent === agent && one.speech === speech && one.scenario.name === name);
  if (found === undefined) return '–';
  if (found.other === undefined) return 'yes';
  return found.fact === undefined ? 'no' : String(REASONS.indexOf(found.fact.why) + 1);
}

/** As the formatter of this repository writes tables. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[], fill = ' '): string =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0, fill)).join(' | ')} |`;
  const rule = line(
    head.map(() => ''),
    '-',
  );
  return `${[line(head), rule, ...rows.map((row) => line(row))].join('\n')}\n`;
}
