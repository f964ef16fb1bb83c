import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columns, shellQuote } from '../../../src/cli/print.ts';
import { callRequest, sampleCall } from '../../../src/cli/sample-call.ts';

const tool = (name: string, properties: object, required: string[], readOnlyHint = true) => ({
  name,
  inputSchema: { type: 'object', properties, required },
  annotations: { readOnlyHint },
});

describe('the call that is shown', () => {
  it('only reads, and needs least', () => {
    const tools = [
      tool('delete_all', {}, [], false),
      tool('by_word', { word: { type: 'string' } }, ['word']),
      tool('by_two', { a: { type: 'integer' }, b: { type: 'boolean' } }, ['a', 'b']),
      tool('by_one', { id: { type: 'integer', minimum: 3 }, free: { type: 'string' } }, ['id']),
    ];
    expect(sampleCall(tools)).toEqual({ name: 'by_one', arguments: { id: 3 } });
    expect(sampleCall([...tools, tool('all', { q: { type: 'string' } }, [])])).toEqual({ name: 'all', arguments: {} });
    expect(sampleCall(tools.slice(0, 2))).toBeUndefined();
    expect(sampleCall([{ name: 'x', inputSchema: {} }])).toBeUndefined();
  });

  it('takes values that the schema gives', () => {
    const properties = {
      a: { enum: ['x', 'y'] },
      b: { type: 'string', default: 'd' },
      c: { type: 'array', items: { type: 'string', examples: ['e'] } },
      d: { const: 7 },
      e: { type: 'string', example: 'z' },
    };
    expect(sampleCall([tool('t', properties, Object.keys(properties))])?.arguments).toEqual({ a: 'x', b: 'd', c: ['e'], d: 7, e: 'z' });
  });

  it('says what it is in headers and body alike', () => {
    const { headers, body } = callRequest({ name: 'list', arguments: { a: 1 } });
    const message = JSON.parse(body) as { method: string; params: { name: string; arguments: object; _meta: Record<string, unknown> } };
    expect([headers['Mcp-Method'], headers['Mcp-Name'], headers['MCP-Protocol-Version']]).toEqual([
      message.method,
      message.params.name,
      message.params._meta['io.modelcontextprotocol/protocolVersion'],
    ]);
    expect(message.params._meta['io.modelcontextprotocol/clientCapabilities']).toEqual({});
  });
});

describe('text for people', () => {
  it('is quoted so that a shell gives it back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        fc.pre(!text.includes('\0'));
        return execFileSync('sh', ['-c', `printf %s ${shellQuote(text)}`]).toString() === text;
      }),
      { numRuns: 40 },
    );
  });

  it('stands in columns', () => {
    expect(
      columns(
        [
          ['a', 'long cell', 'x'],
          ['bbb', 'c', ''],
        ],
        '  ',
      ),
    ).toBe('  a    long cell  x\n  bbb  c');
  });
});
