/** A multipart body as another reader takes it. `headers`: names in lower case. */
export function formOf(body: unknown, headers: Readonly<Record<string, unknown>>): Promise<FormData> {
  return new Response(body as ConstructorParameters<typeof Response>[0], {
    headers: { 'content-type': String(headers['content-type']) },
  }).formData();
}
