import { describe, expect, it } from 'vitest';
import { mcpUrl } from '../../../../src/cli/connect/mcp-url.ts';

describe('mcpUrl', () => {
  it.each([
    ['http://127.0.0.1:8700', undefined, 'http://127.0.0.1:8700/mcp'],
    ['http://127.0.0.1:8700/', 'petstore', 'http://127.0.0.1:8700/mcp/petstore'],
    ['https://hub.example.com/ai/', 'petstore', 'https://hub.example.com/ai/mcp/petstore'],
    ['http://127.0.0.1:8700/mcp', 'petstore', 'http://127.0.0.1:8700/mcp/petstore'],
    ['http://127.0.0.1:8700/mcp/other', 'petstore', 'http://127.0.0.1:8700/mcp/petstore'],
    ['http://127.0.0.1:8700/mcp/petstore?query=pets&top=3', undefined, 'http://127.0.0.1:8700/mcp/petstore?query=pets&top=3'],
  ])('of %s and %s', (hub, server, url) => {
    expect(mcpUrl(hub, server)).toBe(url);
  });

  it.each(['', '1a', 'Pet', 'a/b', 'a'.repeat(25)])('refuses the server name "%s"', (server) => {
    expect(() => mcpUrl('http://127.0.0.1:8700', server)).toThrow(`"${server}" is not the name of a server`);
  });
});
