import { type Count, isHard, loaded, percent, sum } from './counts.ts';
import { DISPUTES } from './disputes.ts';
import type { Verdict } from './judge.ts';

/** Documents of which the table has a line of their own. */
const NAMED = ['real/stripe', 'real/docker-engine', 'real/github', 'real/kubernetes'];

interface Column {
  readonly title: string;
  readonly part: Count;
  /** The percentage is of these. */
  readonly whole?: Count;
}

const OPERATIONS: Column = { title: 'operations', part: 'declared' };
const VALID: Column = { title: 'valid', part: 'valid', whole: 'declared' };
const COMPLETE: Column = { title: 'valid and complete', part: 'complete', whole: 'declared' };
const COMPARED: Column = { title: 'compared', part: 'compared' };
const RIGHT: Column = { title: 'all requests right', part: 'right', whole: 'compared' };
const SETS: Column = { title: 'sets', part: 'sets' };
const TAKEN: Column = { title: 'taken', part: 'taken', whole: 'sets' };
const SETS_RIGHT: Column = { title: 'sets right', part: 'setsRight', whole: 'sets' };
const SETS_UNJUDGED: Column = { title: 'not judged', part: 'setsUnjudged', whole: 'sets' };
const CAUGHT: Column = { title: 'wrong sets refused', part: 'caught', whole: 'spoiled' };
const ACCEPTED: Column = { title: 'Prism accepts', part: 'accepted', whole: 'asked' };
const SHORT = [OPERATIONS, COMPLETE, RIGHT, TAKEN, CAUGHT, ACCEPTED];
const WHOLE = [OPERATIONS, VALID, COMPLETE, COMPARED, RIGHT, SETS, TAKEN, SETS_RIGHT, SETS_UNJUDGED, CAUGHT, ACCEPTED];

/** What came out, as Markdown: the same for the same seed and corpus. */
export function tableOf(verdicts: readonly Verdict[], seed: number): string {
  const named = NAMED.flatMap((id) => verdicts.filter((one) => one.id === id).map((one) => [id.replace('real/', ''), [one]] as const));
  const kinds = [['real documents', verdicts.filter((one) => !isHard(one))], ['hard ones', verdicts.filter(isHard)], ['**all**', verdicts]] as const; // prettier-ignore
  const groups = [...Map.groupBy(verdicts, ({ group }) => group)];
  const faults = verdicts.flatMap(({ id, faults: lines, refused }) => [...(refused === undefined ? [] : [`${id}: refused: ${refused}`]), ...lines.map((line) => `${id}: ${line}`)]); // prettier-ignore
  return `${[
    '# Requests of the corpus, compared',
    '',
    `Written by \`npm run test:corpus\`. Seed ${seed}; three sets of arguments an operation: what is required, everything, and some of it with awkward values.`,
    'Referees: swagger-client, @readme/oas-to-har, and RFC 6570 (url-template) for parameters. An operation is right when all its requests agree with every',
    'referee in all that no rule of disputes.ts leaves out; sets of which it leaves out everything are counted as not judged. One more set an operation has a value of a',
    'wrong type, and has to be refused. Prism validates the requests of real documents up to 600 KB, but for multipart and for path keys',
    'with a query or fragment; it knows no integers beyond 2^53. The hard ones are written to be so, most by the authors of other tools for their tests.',
    '',
    ...table([...kinds, ...named], SHORT),
    '',
    '## By group',
    '',
    ...table(groups, WHOLE),
    '',
    `Sets for which the document allows no value: ${sum(verdicts, 'undrawn')}. Sets a referee could not read: ${counted(verdicts, 'unread')}.`,
    '',
    '## Exceptions',
    '',
    ...listed(faults),
    '',
    '## Not accepted by Prism',
    '',
    ...listed(verdicts.flatMap(({ id, rejections }) => rejections.map((line) => `${id}: ${line}`))),
    '',
    '## Left to the rules',
    '',
    `Where every referee is disputed the unit tests alone judge: ${counted(verdicts, 'unjudged')} (by set).`,
    '',
    ...disputes(verdicts),
  ].join('\n')}\n`;
}

function listed(lines: readonly string[]): string[] {
  return lines.length === 0 ? ['None.'] : lines.map((line) => `- ${inline(line)}`);
}

type Row = readonly [name: string, verdicts: readonly Verdict[]];

function table(rows: readonly Row[], columns: readonly Column[]): string[] {
  const head = ['', 'documents loaded', ...columns.map(({ title }) => title)];
  const cells = rows.map(([name, verdicts]) => [
    name,
    `${loaded(verdicts)} of ${verdicts.length}`,
    ...columns.map((column) => cell(verdicts, column)),
  ]);
  return aligned([head, ...cells]);
}

function cell(verdicts: readonly Verdict[], { part, whole }: Column): string {
  const [some, all] = [sum(verdicts, part), whole === undefined ? undefined : sum(verdicts, whole)];
  if (all === 0) return '–';
  return all === undefined ? String(some) : `${some} (${percent(some, all)})`;
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
