import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { describeConfig } from '../../../src/config/describe.ts';

const docs = new URL('../../../docs/', import.meta.url);

describe('the generated pages', () => {
  it('are not stale: npm run docs:config', async () => {
    const { page, schema } = describeConfig();
    expect(await readFile(new URL('config.md', docs), 'utf8')).toBe(page);
    expect(await readFile(new URL('config.schema.json', docs), 'utf8')).toBe(schema);
  });

  it('link only to headings that are there', () => {
    const { page } = describeConfig();
    const anchors = new Set(
      [...page.matchAll(/^#+ `([^`]+)`$/gm)].map(([, title = '']) => title.toLowerCase().replace(/[^a-z0-9 _-]/g, '')),
    );
    const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, target = '']) => target);
    expect(links.length).toBeGreaterThan(20);
    expect(links.filter((target) => !anchors.has(target))).toEqual([]);
  });
});
