import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ImportProgressLine } from '../../../src/cli/import-progress.ts';

let written: string;
const isTerminal = process.stderr.isTTY;
beforeEach(() => {
  written = '';
  vi.useFakeTimers();
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written += String(text);
    return true;
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  process.stderr.isTTY = isTerminal;
});

function run(isTTY: boolean, always: boolean, steps: number): void {
  process.stderr.isTTY = isTTY;
  const line = new ImportProgressLine('a.json', always);
  line.tell({ bytes: 6_900_000 });
  for (let step = 0; step < steps; step += 1) {
    vi.advanceTimersByTime(100);
    line.tell({ done: step, operations: 40 });
  }
  line.end();
  vi.advanceTimersByTime(1000);
}

it('says nothing about a document that is read at once, nor where nobody asked', () => {
  run(true, true, 4);
  run(false, false, 40);
  expect(written).toBe('');
});

it('writes over one line of a terminal, and takes it away', () => {
  run(true, false, 8);
  expect(written).toContain('\r\u001B[Ka.json: 7 of 40 operations compiled (0.8 s)');
  expect(written.endsWith('\r\u001B[K')).toBe(true);
});

it('writes a line now and then elsewhere', () => {
  run(false, true, 30);
  const lines = written.trim().split('\n');
  expect(lines[0]).toBe('a.json: 3 of 40 operations compiled (0.5 s)');
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.length).toBeLessThan(5);
});
