import type { ModelApiConfig } from '../../../config/types.ts';
import { compileGlob } from '../../../core/conditions.ts';
import type { Consumer } from '../../../core/consumer.ts';
import type { Route } from './route.ts';

/** The name of the API at `/v1`. */
export const ROOT_API = 'v1';

/** Models under one base URL. */
export interface ModelApi {
  readonly name: string;
  /** In the order of the configuration: the first that takes a call has it. */
  readonly routes: readonly Route[];
  /** Whether the consumer may call anything here. */
  admits(consumer: Consumer): boolean;
}

/** The rule that `access` of an API is; everybody without one. The anonymous consumer has no name. */
export function admission(access: ModelApiConfig['access']): (consumer: Consumer) => boolean {
  if (access === undefined) return () => true;
  const names = (access.consumers ?? []).map(compileGlob);
  const groups = new Set(access.groups);
  return ({ name, groups: own, anonymous }) =>
    (!anonymous && names.some((matches) => matches(name))) || own.some((group) => groups.has(group));
}
