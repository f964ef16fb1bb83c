import { GatewayError } from '../core/errors.ts';
import { isLoopback } from '../http/edge-rules.ts';
import type { HubOptions } from './hub.ts';

/** The admin listener leaves loopback only with a token that was given, and is long enough to be no guess (DESIGN 2.1, 2.2). */
export function checkAdminListener({ adminHost }: Pick<HubOptions, 'adminHost'>, token: string, given: boolean): void {
  if (isLoopback(adminHost)) return;
  if (given && token.length >= 32) return;
  throw new GatewayError(
    'bad_request',
    `The admin listener leaves loopback (${adminHost}) only with HUBGATE_ADMIN_TOKEN of 32 characters or more.`,
  );
}
