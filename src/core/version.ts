import { readFileSync } from 'node:fs';

/** The version of the hub, as its package says it; the path holds from `src/core` as from `dist/core`. */
export const VERSION: string = (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string })
  .version;
