import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { COLUMNS } from '../../../src/storage/calls/call-row.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';

const page = readFileSync(new URL('../../../docs/records.md', import.meta.url), 'utf8');
const section = (title: string): string =>
  page
    .slice(page.indexOf(`## ${title}`))
    .split('\n## ', 1)[0]!
    .slice(3);
const firstCells = (text: string): string[] =>
  [...text.matchAll(/^\| (`[^|]+)\|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name as string));

it('docs/records.md names every column of the table, and no other', () => {
  expect(firstCells(section('What is recorded').split('**How it is kept.**', 1)[0]!)).toEqual(COLUMNS);
});

it('docs/records.md names every metric of the hub, and no other', async () => {
  const text = await createMetrics().text();
  const served = [...text.matchAll(/^# TYPE (hubgate_\w+) /gm)].map(([, name]) => name as string);
  expect(served.length).toBeGreaterThan(5);
  expect(firstCells(section('Metrics')).toSorted()).toEqual(served.toSorted());
});
