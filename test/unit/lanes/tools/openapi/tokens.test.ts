import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compileDocument } from '../../../../../src/lanes/tools/openapi/compile.ts';
import type { CompiledOperation } from '../../../../../src/lanes/tools/openapi/types.ts';

const ROOT = join(import.meta.dirname, '../../../../..');
const SHARED = join(ROOT, '../shared/openapi-corpus/real');
const FIXTURES = join(ROOT, 'test/fixtures/openapi');

/** What tools may cost on average beside their names, in tokens of 3.5 bytes (openapi.md, section 7). */
const GOALS = [
  { file: 'github.json', most: 320 },
  { file: 'kubernetes.json', most: 1200 },
  { file: 'stripe.json', most: 900 },
];
const BYTES_PER_TOKEN = 3.5;

const operationsOf = (path: string): readonly CompiledOperation[] =>
  compileDocument({ name: 'svc', text: readFileSync(path, 'utf8') }).operations;

function tokensOf({ tool }: CompiledOperation): number {
  const { description = '', inputSchema } = tool.definition;
  return Buffer.byteLength(description + JSON.stringify(inputSchema)) / BYTES_PER_TOKEN;
}

describe('what tools cost a model', () => {
  test.each(readdirSync(FIXTURES))('%s', (file) => {
    for (const { tool, tokens } of operationsOf(join(FIXTURES, file))) {
      const { name, description, inputSchema } = tool.definition;
      expect(tokens).toBe(Math.ceil(Buffer.byteLength(JSON.stringify({ name, description, inputSchema })) / BYTES_PER_TOKEN));
      expect(tokens).toBeLessThanOrEqual(8000);
    }
  });

  test.each(GOALS.filter(({ file }) => existsSync(join(SHARED, file))))(
    '$file: $most on average',
    { timeout: 60_000 },
    ({ file, most }) => {
      const operations = operationsOf(join(SHARED, file));
      expect(operations.reduce((sum, operation) => sum + tokensOf(operation), 0) / operations.length).toBeLessThanOrEqual(most);
      expect(Math.max(...operations.map(({ tokens }) => tokens))).toBeLessThanOrEqual(8000);
    },
  );
});
