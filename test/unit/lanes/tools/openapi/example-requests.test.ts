import { describe, expect, it } from 'vitest';
import { diffServices } from '../../../../../src/lanes/tools/openapi/changes/diff.ts';
import { operationReports } from '../../../../../src/lanes/tools/report.ts';
import { compileOne, compileTree } from './compiling.ts';

const KEY = 'x-hubgate-examples';
const treeWith = (examples?: unknown) =>
  compileTree({ paths: { '/a': { get: { operationId: 'one', ...(examples === undefined ? {} : { [KEY]: examples }) } } } });
const warningsOf = (examples: unknown): [string, string][] =>
  treeWith(examples).warnings.map(({ pointer, code }) => [pointer.replace('/paths/~1a/get', ''), code]);

describe('x-hubgate-examples', () => {
  it('are of the tool, and not of its definition', () => {
    const { tool } = compileOne({ [KEY]: ['how is  the\nweather', ' will it rain? ', 'how is the weather'] });
    expect(tool.examples).toEqual(['how is the weather', 'will it rain?']);
    expect(JSON.stringify(tool.definition)).not.toContain('rain');
    expect(compileOne({}).tool).not.toHaveProperty('examples');
  });

  it.each([
    ['a text', [['/x-hubgate-examples', 'example_ignored']], undefined],
    [[1, '', 'good'], [['/x-hubgate-examples/0', 'example_ignored'], ['/x-hubgate-examples/1', 'example_ignored']], ['good']], // prettier-ignore
    [['x'.repeat(300), 'y'.repeat(301)], [['/x-hubgate-examples/1', 'example_ignored']], ['x'.repeat(300)]],
    [Array.from({ length: 14 }, (_, at) => `e${at}`), [['/x-hubgate-examples/10', 'example_ignored']], Array.from({ length: 10 }, (_, at) => `e${at}`)], // prettier-ignore
    [null, [], undefined],
  ])('%# are read within bounds, with a warning for what is ignored', (examples, warnings, read) => {
    expect(warningsOf(examples)).toEqual(warnings);
    expect(treeWith(examples).operations[0]!.tool.examples).toEqual(read);
  });

  it('are in the report, and a change of them is one that no consumer notices', () => {
    const [before, after] = [treeWith(), treeWith(['will it rain?'])];
    expect(operationReports(after)).toMatchObject([{ tool: 'one', examples: ['will it rain?'] }]);
    expect(operationReports(before)[0]).not.toHaveProperty('examples');
    expect(after.hash).not.toBe(before.hash);
    expect(diffServices(before, after).changed).toMatchObject([{ notice: 'invisible', changes: [{ code: 'examples' }] }]);
  });
});
