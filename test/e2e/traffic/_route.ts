/** A route with models of its own, so that what is seen of their targets is its own too. */
export function route(name: string, providers: readonly string[], fallback: readonly string[] = [], more: object = {}): object {
  const target = (provider: string): object => ({ provider, model: `gpt-${name}` });
  return { name, targets: providers.map(target), ...(fallback.length > 0 && { fallback: fallback.map(target) }), ...more };
}
