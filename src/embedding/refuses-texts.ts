import { GatewayError } from '../core/errors.ts';

/** Whether an embedder that rejected so refuses only the texts it was given, and goes on working (core/contracts/embedder.ts). */
export function refusesTexts(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'bad_request';
}
