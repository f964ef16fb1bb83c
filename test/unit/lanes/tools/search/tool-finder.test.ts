import { describe, expect, it } from 'vitest';
import type { Findable, Semantics, TextIndex } from '../../../../../src/core/contracts/semantics.ts';
import type { View, ViewTool } from '../../../../../src/lanes/tools/doors/view.ts';
import { ToolFinder } from '../../../../../src/lanes/tools/search/tool-finder.ts';

const toolOf = (name: string): ViewTool => ({ tool: { definition: { name, inputSchema: {} }, tags: [] } }) as unknown as ViewTool;
const viewOf = (tools: readonly ViewTool[]): View =>
  ({ tools: new Map(tools.map((one) => [one.tool.definition.name, one])) }) as unknown as View;

/** Finds texts whose name is the query, and remembers what was indexed. */
function counting(): { readonly semantics: Semantics; readonly made: { texts: readonly Findable[]; model: string | undefined }[] } {
  const made: { texts: readonly Findable[]; model: string | undefined }[] = [];
  const index = (texts: readonly Findable[], options?: { model?: string | undefined }): TextIndex => {
    made.push({ texts, model: options?.model });
    const hit = (at: number) => ({ index: at, score: 1, words: [], lexical: 1 });
    const find = async (query: string) => ({ hits: texts.flatMap(({ name }, at) => (name === query ? [hit(at)] : [])) });
    return { size: texts.length, find };
  };
  return { made, semantics: { index } as unknown as Semantics };
}

const a = toolOf('a');
const b = toolOf('b');
const c = toolOf('c');

describe('ToolFinder', () => {
  it('gives the tools of the view', async () => {
    const finder = new ToolFinder(counting().semantics);
    expect((await finder.find(viewOf([a, b]), 'b', 5)).tools.map(({ tool }) => tool)).toEqual([b]);
    expect((await finder.find(viewOf([a, c]), 'b', 5)).tools).toEqual([]);
  });

  it('shares an index between callers who see the same, and makes one of what each other sees alone', async () => {
    const { semantics, made } = counting();
    const finder = new ToolFinder(semantics);
    await finder.prepare([{ tools: [a, b], model: undefined }]);
    for (const view of [viewOf([a, b]), viewOf([a, b]), viewOf([a])]) await finder.find(view, 'a', 1);
    expect(made.map(({ texts }) => texts.map(({ name }) => name))).toEqual([['a', 'b'], ['a']]);
  });

  it('keeps models apart', async () => {
    const { semantics, made } = counting();
    const finder = new ToolFinder(semantics);
    const view = viewOf([a]);
    await finder.find(view, 'a', 1);
    await finder.find(view, 'a', 1, { model: 'other' });
    await finder.find(view, 'a', 1, { model: 'other' });
    expect(made.map(({ model }) => model)).toEqual([undefined, 'other']);
  });

  it('lets go of the indexes that were used least, and of none that was prepared', async () => {
    const { semantics, made } = counting();
    const finder = new ToolFinder(semantics);
    const many = (from: number): ViewTool[] => Array.from({ length: 100_000 }, (_, at) => toolOf(`t${from}-${at}`));
    const [first, ...others] = [many(0), many(1), many(2), many(3)].map(viewOf);
    await finder.prepare([{ tools: [...first!.tools.values()], model: undefined }]);
    for (const view of others) await finder.find(view, 'a', 1);
    await finder.find(first!, 'a', 1);
    await finder.find(others[2]!, 'a', 1);
    expect(made).toHaveLength(4);
    // The view is still there, its index is not.
    await finder.find(others[0]!, 'a', 1);
    expect(made).toHaveLength(5);
  });
});
