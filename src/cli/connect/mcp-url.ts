/**
 * The MCP endpoint of a server of the hub at `hubUrl`, or of the hub itself. An address that is an MCP endpoint already
 * gives its hub. @throws {TypeError} with the name or address that is wrong
 */
export function mcpUrl(hubUrl: string, server?: string): string {
  if (server !== undefined && !/^[a-z][a-z0-9-]{0,23}$/.test(server)) {
    throw new TypeError(`"${server}" is not the name of a server: 1 to 24 of a-z, 0-9 and -, the first a letter.`);
  }
  if (!URL.canParse(hubUrl)) throw new TypeError(`"${hubUrl}" is not the address of a hub. It looks like http://127.0.0.1:8700.`);
  const url = new URL(hubUrl);
  const path = url.pathname.replace(/\/+$/, '');
  const isEndpoint = /\/mcp(\/[^/]+)?$/.test(path);
  if (server === undefined && isEndpoint) return url.href;
  url.pathname = `${path.replace(/\/mcp(\/[^/]+)?$/, '')}/mcp${server === undefined ? '' : `/${server}`}`;
  return url.href;
}
