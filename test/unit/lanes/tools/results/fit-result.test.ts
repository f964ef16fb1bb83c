import { describe, expect, test } from 'vitest';
import type { ToolsReply } from '../../../../../src/core/tools.ts';
import { fitResult } from '../../../../../src/lanes/tools/results/fit-result.ts';
import type { WholeResult } from '../../../../../src/lanes/tools/results/kept-results.ts';

const URI = 'hubgate://results/ID';

function fit(reply: ToolsReply, textLimit?: number, links = true): { reply: ToolsReply; kept: WholeResult[] } {
  const kept: WholeResult[] = [];
  const keep = (whole: WholeResult): string => {
    kept.push(whole);
    return URI;
  };
  return { reply: fitResult(reply, { tool: 'one', links, keep, ...(textLimit !== undefined && { textLimit }) }), kept };
}

const textReply = (text: string): ToolsReply => ({ content: [{ type: 'text', text }] });

function textOf(reply: ToolsReply): string {
  const block = reply.content?.[0];
  if (block?.type !== 'text') throw new Error('no text');
  return block.text;
}

describe('a result', () => {
  test('that fits is the same, and nothing is kept of it', () => {
    const reply = textReply('x'.repeat(100_000));
    const fitted = fit(reply);
    expect(fitted.reply).toBe(reply);
    expect(fitted.kept).toEqual([]);
  });

  test('of JSON is cut between values, stays JSON, keeps its digits, and the whole is linked', () => {
    const items = Array.from({ length: 100 }, (_, index) => ({ id: index, text: 'x'.repeat(50) }));
    const { reply, kept } = fit(textReply(JSON.stringify(items)), 2000);
    const list = JSON.parse(textOf(reply)) as unknown[];
    expect(list.slice(0, -1)).toEqual(items.slice(0, list.length - 1));
    expect(list.at(-1)).toBe(`… ${101 - list.length} more of 100`);
    const size = JSON.stringify(items).length;
    expect(reply.content?.[1]).toMatchObject({ type: 'resource_link', uri: URI, name: 'one result', mimeType: 'application/json', size });
    expect(kept).toMatchObject([{ isText: true, tool: 'one', mimeType: 'application/json' }]);
    expect(kept[0]?.body.toString()).toBe(JSON.stringify(items));
    const page = JSON.parse(textOf(fit(textReply(JSON.stringify({ total: 100, items, next: 'abc' })), 2000).reply)) as { items: unknown[] };
    expect(page).toMatchObject({ total: 100, next: 'abc' });
    expect(page.items.at(-1)).toMatch(/^… \d+ more of 100$/);
    const digits = textOf(fit(textReply(`{"id":9007199254740993,"price":1.50,"far":1e400,"text":"${'x'.repeat(5000)}"}`), 1000).reply);
    expect(digits).toContain('"id":9007199254740993,"price":1.50,"far":1e400,');
  });

  test('of other text loses its middle', () => {
    const { reply, kept } = fit(textReply('y'.repeat(5000)), 1000);
    expect(textOf(reply).length).toBeLessThanOrEqual(1000);
    expect(textOf(reply)).toContain('characters left out');
    expect(kept).toMatchObject([{ mimeType: 'text/plain', isText: true }]);
  });

  test('that is nested deeper than the stack is cut as text', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(textOf(fit(textReply(deep), 1000).reply)).toContain('characters left out');
  });

  test('of structured content is cut without notes, so that types stay', () => {
    const structuredContent = { result: Array.from({ length: 100 }, (_, id) => ({ id })) };
    const { reply } = fit({ ...textReply(JSON.stringify(structuredContent.result)), structuredContent }, 500);
    const { result } = reply.structuredContent as typeof structuredContent;
    expect(result.length).toBeGreaterThan(5);
    expect(result).toEqual(structuredContent.result.slice(0, result.length));
  });

  test('of bytes above the limit is told and linked with its type', () => {
    const zip = Buffer.alloc(1024 * 1024 + 1, 7);
    const { reply, kept } = fit({
      content: [{ type: 'resource', resource: { uri: 'hubgate:result/one', mimeType: 'application/zip', blob: zip.toString('base64') } }],
    });
    expect(textOf(reply)).toBe('The answer is 1048577 bytes of application/zip, more than the 1 MB that a result holds, and is not shown.');
    expect(reply.content?.[1]).toMatchObject({ type: 'resource_link', uri: URI, mimeType: 'application/zip', size: 1048577 });
    expect(kept[0]?.body.equals(zip)).toBe(true);
    const png = Buffer.alloc(4 * 1024 * 1024 + 1);
    expect(textOf(fit({ content: [{ type: 'image', data: png.toString('base64'), mimeType: 'image/png' }] }).reply)).toContain('4 MB');
    const small = { content: [{ type: 'image' as const, data: png.subarray(1).toString('base64'), mimeType: 'image/png' }] };
    expect(fit(small).reply).toBe(small);
  });

  test('for a client that knows no links names the URI in words', () => {
    const { reply } = fit(textReply('y'.repeat(5000)), 1000, false);
    expect(reply.content?.map(({ type }) => type)).toEqual(['text', 'text']);
    expect(reply.content?.[1]).toMatchObject({ text: expect.stringContaining(`${URI} (text/plain, 5000 bytes)`) });
  });
});
