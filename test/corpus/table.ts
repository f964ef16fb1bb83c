import { DISPUTES } from './disputes.ts';
import type { Verdict } from './judge.ts';

/** Documents that issue 4 has goals of their own for. */
const NAMED = ['real/stripe', 'real/docker-engine', 'real/github', 'real/kubernetes'];
const HEAD = [
  '',
  'documents loaded',
  'operations',
  'valid',
  'valid and complete',
  'compared',
  'all requests right',
  'sets',
  'taken',
  'sets right',
  'Prism accepts',
];

/** What came out, as Markdown: the same for the same seed and corpus. */
export function tableOf(verdicts: readonly Verdict[], seed: number): string {
  const groups = [...Map.groupBy(verdicts, ({ group }) => group)];
  const rows = [
    ...groups.map(([group, members]) => row(group, members)),
    row('**all**', verdicts),
    ...NAMED.flatMap((id) => verdicts.filter((one) => one.id === id).map((one) => row(id.replace('real/', ''), [one]))),
  ];
  const faults = verdicts.flatMap(({ id, faults: lines, refused }) => [...(refused === undefined ? [] : [`${id}: refused: ${refused}`]), ...lines.map((line) => `${id}: ${line}`)]); // prettier-ignore
  return `${[
    '# Requests of the corpus, compared',
    '',
    `Written by \`npm run test:corpus\`. Seed ${seed}; three sets of arguments an operation: what is required, everything, and some of it with awkward values.`,
    'Referees: swagger-client, @readme/oas-to-har, and RFC 6570 (url-template) for parameters. An operation is right when all its requests agree with every',
    'referee in all that no rule of disputes.ts leaves out. Documents in several files are compiled and counted; nothing is sent for them.',
    'Prism validates the requests of real documents up to 600 KB, but for multipart and for path keys with a query or fragment.',
    '',
    ...aligned([HEAD, ...rows]),
    '',
    `Sets for which the document allows no value: ${sum(verdicts, 'undrawn')}. Sets a referee could not read: ${counted(verdicts, 'unread')}.`,
    '',
    '## Exceptions',
    '',
    ...(faults.length === 0 ? ['None.'] : faults.map((fault) => `- ${inline(fault)}`)),
    '',
    '## Left to the rules',
    '',
    `Where every referee is disputed the unit tests alone judge: ${counted(verdicts, 'unjudged')} (by set).`,
    '',
    ...disputes(verdicts),
  ].join('\n')}\n`;
}

type Count = 'declared' | 'valid' | 'complete' | 'compared' | 'right' | 'sets' | 'taken' | 'setsRight' | 'undrawn' | 'asked' | 'accepted';

function sum(verdicts: readonly Verdict[], key: Count): number {
  return verdicts.reduce((total, one) => total + one[key], 0);
}

function row(name: string, verdicts: readonly Verdict[]): string[] {
  const count = (key: Count): number => sum(verdicts, key);
  const part = (key: Count, of: Count): string => (count(of) === 0 ? '0' : `${count(key)} (${percent(count(key), count(of))})`);
  const loaded = verdicts.filter(({ refused }) => refused === undefined).length;
  return [
    name,
    `${loaded} of ${verdicts.length}`,
    String(count('declared')),
    part('valid', 'declared'),
    part('complete', 'declared'),
    String(count('compared')),
    part('right', 'compared'),
    String(count('sets')),
    part('taken', 'sets'),
    part('setsRight', 'sets'),
    part('accepted', 'asked'),
  ];
}

/** Never rounded up to 100. */
function percent(part: number, whole: number): string {
  return `${part === whole ? '100' : (Math.floor((part / whole) * 1000) / 10).toFixed(1)} %`;
}

function counted(verdicts: readonly Verdict[], key: 'unread' | 'unjudged'): string {
  const totals = new Map<string, number>();
  for (const [name, count] of verdicts.flatMap((one) => [...one[key]])) totals.set(name, (totals.get(name) ?? 0) + count);
  return totals.size === 0 ? 'none' : [...totals].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `${name} ${count}`).join(', '); // prettier-ignore
}

function disputes(verdicts: readonly Verdict[]): string[] {
  const totals = new Map<string, number>();
  for (const [id, count] of verdicts.flatMap((one) => [...one.disputes])) totals.set(id, (totals.get(id) ?? 0) + count);
  const rows = DISPUTES.flatMap(({ id, referees }) =>
    referees.flatMap((referee) => {
      const count = totals.get(`${id} (${referee})`);
      return count === undefined ? [] : [[id, referee, String(count)]];
    }),
  );
  return aligned([['rule (its sentence is in disputes.ts)', 'against', 'sets'], ...rows]);
}

/** A Markdown table as the formatter writes it. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(3, ...rows.map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)];
}

/** Text of a document inside Markdown. */
function inline(text: string): string {
  return `\`${text.replaceAll('`', "'").replace(/\s+/g, ' ').slice(0, 240)}\``;
}
