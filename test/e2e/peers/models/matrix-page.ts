import type { Door } from './ask.ts';
import { can, CASES, DRIVERS, type Outcome } from './matrix.ts';
import { type Fact, PROVIDERS, type ProviderUnderTest } from './providers.ts';

const DOORS: readonly (readonly [door: Door, path: string])[] = [
  ['chat', '/v1/chat/completions'],
  ['responses', '/v1/responses'],
  ['messages', '/v1/messages'],
];
const INTRODUCTION = `# Models: what works where

Written by the test \`test/e2e/peers/models/clients.test.ts\`, which runs official clients through a hub against a mock of each provider: a cell says
what that run saw, and the run fails when this page says something else. To write it again:
\`HUBGATE_WRITE_MATRIX=1 npx vitest run --config test/e2e/peers/vitest.config.ts models/clients\`.

\`yes\`: with every client of the door. A number: not, because of that fact about the provider, below; with \`yes\` before it, some of the clients
get there. \`–\`: no client of the door can ask for it, or the demo model has no need of it.
`;

/** docs/models-matrix.md, as the outcomes of one run have it. */
export function matrixPage(outcomes: readonly Outcome[]): string {
  const facts = [...new Set(PROVIDERS.flatMap((provider) => provider.facts))];
  const doors = DOORS.map(([door, path]) => {
    const clients = DRIVERS.filter((driver) => driver.door === door);
    const names = clients.map(({ name }) => `\`${name}\``).join(', ');
    const rows = CASES.filter((one) => clients.some((driver) => can(driver, one))).map((one) => [
      one.name,
      ...PROVIDERS.map((provider) => cell(ofCell(outcomes, provider, door, one.name), facts)),
    ]);
    return `## \`${path}\`\n\nClients: ${names}.\n\n${table(['case', ...PROVIDERS.map(({ name }) => name)], rows)}`;
  });
  const cannot = DRIVERS.flatMap((driver) => Object.entries(driver.cannot).map(([one, why]) => `- \`${driver.name}\`, ${one}: ${why}.`));
  return [
    INTRODUCTION,
    ...doors,
    `## Facts about providers\n\n${facts.map((fact, i) => `${i + 1}. ${whose(fact)}: ${fact.why}`).join('\n')}\n`,
    `## What clients cannot ask for or do not show\n\n${cannot.join('\n')}\n`,
  ].join('\n');
}

const ofCell = (outcomes: readonly Outcome[], provider: ProviderUnderTest, door: Door, name: string): readonly Outcome[] =>
  outcomes.filter((outcome) => outcome.provider === provider && outcome.driver.door === door && outcome.case.name === name);

function cell(outcomes: readonly Outcome[], facts: readonly Fact[]): string {
  const numbers = [...new Set(outcomes.flatMap(({ error, fact }) => (error !== undefined && fact ? [facts.indexOf(fact) + 1] : [])))];
  if (outcomes.some(({ error, fact }) => error !== undefined && !fact)) return 'no';
  if (outcomes.length === 0) return '–';
  return [...(outcomes.some(({ error }) => error === undefined) ? ['yes'] : []), ...numbers].join(' ');
}

function whose(fact: Fact): string {
  return PROVIDERS.filter((provider) => provider.facts.includes(fact))
    .map(({ name }) => name)
    .join(', ');
}

/** As the formatter of this repository writes tables. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[], fill = ' '): string =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0, fill)).join(' | ')} |`;
  return `${[
    line(head),
    line(
      head.map(() => ''),
      '-',
    ),
    ...rows.map((row) => line(row)),
  ].join('\n')}\n`;
}
