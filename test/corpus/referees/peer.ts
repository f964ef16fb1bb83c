import { createRequire } from 'node:module';

/** The referees are installed where the other peers are: `npm ci --prefix test/e2e/peers`. */
const require = createRequire(new URL('../../e2e/peers/package.json', import.meta.url));

/** A package of test/e2e/peers, by its name. */
export function peer(name: string): unknown {
  return require(name);
}
