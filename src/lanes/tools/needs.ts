import type { SchemeUse } from '../../upstreams/auth/signers-of-schemes.ts';
import type { CompiledService } from './openapi/types.ts';

/** What the configuration has to say before the tools of a document work. */
export interface Needs {
  /** How many operations have no whole address: the document names no server, or one that only its own place on the web completes. */
  readonly address: number;
  /** Where the document's server leads, which is relative to its address; a copy of it no longer says. */
  readonly base?: string;
  /** How many operations ask for a credential. */
  readonly credentials: number;
  /** The security schemes that most of those ask for together; none when `credentials` is 0. */
  readonly schemes: readonly SchemeUse[];
}

/** Reads from a compiled document what it leaves to the configuration. */
export function needsOf({ operations, base }: CompiledService): Needs {
  const address = operations.filter(({ server }) => !/^https?:/i.test(server)).length;
  const asked = operations.flatMap(({ security: { alternatives } }) =>
    alternatives.some((alternative) => alternative.length === 0) ? [] : alternatives.slice(0, 1),
  );
  const groups = Map.groupBy(asked, (schemes) => schemes.map(({ name }) => name).join('\n'));
  const [usual] = [...groups.values()].sort((a, b) => b.length - a.length);
  return { address, ...(base !== undefined && { base }), credentials: asked.length, schemes: usual?.[0] ?? [] };
}
