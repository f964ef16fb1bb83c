import type { Call } from '../draw.ts';
import type { Declared, DeclaredOperation } from '../operation.ts';
import type { Reading } from '../reading.ts';
import type { Resolver } from '../resolver.ts';

export interface Case {
  readonly operation: DeclaredOperation;
  readonly call: Call;
  readonly resolver: Resolver;
}

/** Another implementation of the same requests. */
export interface Referee {
  readonly name: string;
  /** False for parameters it has no opinion on; the body is `undefined`. */
  judges(parameter: Declared | undefined, value: unknown, one: Case): boolean;
  /** Throws when it cannot read the operation. */
  request(one: Case): Promise<Reading>;
}

export function valueOf({ call }: Case, { place, name }: Declared): unknown {
  return call.parameters.get(`${place}:${name}`);
}
