import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readExamples } from '../../../src/cli/eval-file.ts';
import { failureText } from '../../../src/cli/failure.ts';
import { makeFolder } from './run-cli.ts';
import { writeFile } from 'node:fs/promises';

let folder: string;
beforeAll(async () => void (folder = await makeFolder()));
afterAll(() => rm(folder, { recursive: true, force: true }));

const read = (entry: Readonly<Record<string, unknown>>): { q: string } | string =>
  typeof entry['q'] === 'string' ? { q: entry['q'] } : 'The entry needs a q.';
async function reading(name: string, text: string): Promise<{ q: string }[]> {
  const file = join(folder, name);
  await writeFile(file, text);
  return readExamples(file, read);
}
/** What a person reads, without the folder. */
async function fault(name: string, text: string): Promise<string> {
  const error = await reading(name, text).then(
    () => 'nothing is wrong',
    (thrown: unknown) => thrown,
  );
  return failureText(error).replaceAll(`${folder}/`, '');
}

describe('readExamples', () => {
  it.each([
    ['list.json', '[{"q": "a"},\n {"q": "b", "kind": "single"}]'],
    ['queries.json', '{"id": "x", "tools": [], "queries": [{"q": "a"}, {"q": "b"}]}'],
    ['texts.json', '\uFEFF{"texts": [{"q": "a"}, {"q": "b"}]}'],
    ['lines.jsonl', '{"q": "a"}\n\n{"q": "b"}\n'],
    ['lines.txt', '{"q": "a"}\n{"q": "b"}'],
    ['list.yaml', '# two\n- q: a\n- { q: b }\n'],
    ['texts.yaml', 'texts:\n  - q: a\n  - q: b\n'],
  ])('reads %s', async (name, text) => {
    expect(await reading(name, text)).toEqual([{ q: 'a' }, { q: 'b' }]);
  });

  it('reads one entry on one line', async () => {
    expect(await reading('one.jsonl', '{"q": "a"}')).toEqual([{ q: 'a' }]);
  });

  it.each([
    ['bad.json', '[{"q": "a"},\n {"q": 1},\n {}]', ['2 of 3 entries', 'bad.json:2 The entry needs a q.', 'bad.json:3 The entry']],
    ['bad-queries.json', '{"queries": [\n{"q": "a"},\n3]}', ['1 of 2 entries', 'bad-queries.json:3 The entry must be an object.']],
    ['flat.json', '[{"q": "a"}, {"p": "b"}]', ['flat.json, entry 2: The entry needs a q.']],
    ['bad.jsonl', '{"q": "a"}\n\n{"p": "b"}', ['bad.jsonl:3 The entry needs a q.']],
    ['broken.jsonl', '{"q": "a"}\n{"q": ', ['1 of 2 lines', 'broken.jsonl:2 The line is not valid JSON.']],
    ['bad.yaml', '- q: a\n\n- p: b\n', ['bad.yaml:3 The entry needs a q.']],
    ['broken.yaml', '- q: a\n- q: [b\n', ['broken.yaml cannot be read.', 'broken.yaml:']],
    ['empty.yaml', ' \n', ['empty.yaml is empty']],
    ['none.json', '[]', ['none.json has no entries']],
    ['other.json', '{"q": "a"}', ['other.json must be a list']],
  ])('says what is wrong with %s, and where', async (name, text, expected) => {
    const told = await fault(name, text);
    for (const part of expected) expect(told).toContain(part);
  });

  it('says so when there is no file, and cuts a long list', async () => {
    await expect(readExamples(join(folder, 'gone.json'), read)).rejects.toThrow('There is no file');
    await expect(readExamples(folder, read)).rejects.toThrow('cannot be read (EISDIR)');
    expect(await fault('many.json', JSON.stringify(Array.from({ length: 25 }, () => ({}))))).toContain('and 5 more');
  });

  it('gives back what JSON and lines of JSON hold', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ q: fc.string() }), { minLength: 1, maxLength: 5 }), async (entries) => {
        expect(await reading('any.json', JSON.stringify(entries))).toEqual(entries);
        expect(await reading('any.jsonl', entries.map((entry) => JSON.stringify(entry)).join('\n'))).toEqual(entries);
      }),
      { numRuns: 30 },
    );
  });
});
