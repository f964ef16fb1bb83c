export interface AdminAnswer {
  readonly status: number;
  readonly headers: Response['headers'];
  readonly text: string;
  /** Parsed JSON; undefined when there is none. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into what they know
  readonly body: any;
}

/** One request to the admin API of a hub, `path` below `/admin/v1`, with its token. */
export async function askAdmin(
  hub: { readonly adminUrl: string; readonly adminToken: string },
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<AdminAnswer> {
  const response = await fetch(`${hub.adminUrl}/admin/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${hub.adminToken}`, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '') && text !== '';
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
}
