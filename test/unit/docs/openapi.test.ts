import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('docs/openapi.md shows the table that npm run test:corpus wrote', () => {
  const [page, result] = ['docs/openapi.md', 'test/corpus/result.md'].map((path) =>
    readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8'),
  );
  const [table = ''] = /^\|.*(?:\n\|.*)*/m.exec(result ?? '') ?? [];
  expect(table).toContain('real documents');
  expect(page).toContain(`\n${table}\n`);
});
