import type { ModelFailure } from '../../core/chat.ts';
import { GatewayError } from '../../core/errors.ts';

/** A failure that a vendor has reported, in its own words as far as a caller may read them. */
export class ProviderError extends GatewayError {
  readonly vendor: NonNullable<ModelFailure['vendor']>;

  constructor({ code, message, vendor = {}, retryAfterMs }: ModelFailure, detail: string) {
    super(code, message, { detail, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
    this.name = 'ProviderError';
    this.vendor = vendor;
  }
}
