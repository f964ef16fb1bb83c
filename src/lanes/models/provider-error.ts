import type { ModelFailure } from '../../core/chat.ts';
import { GatewayError } from '../../core/errors.ts';
import type { LiveCall } from '../../pipeline/live-call.ts';
import type { Account } from './routes/account.ts';

/** A failure that a vendor has reported, in its own words as far as a caller may read them. */
export class ProviderError extends GatewayError {
  readonly vendor: NonNullable<ModelFailure['vendor']>;

  constructor({ code, message, vendor = {}, retryAfterMs }: ModelFailure, detail: string) {
    super(code, message, { detail, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
    this.name = 'ProviderError';
    this.vendor = vendor;
  }
}

/** What a vendor says went wrong, as an error to throw, and kept with the call. Without a status it was said inside a stream. */
export function reported(call: LiveCall<'models'>, { name, provider }: Account, failure: ModelFailure, status?: number): ProviderError {
  const detail = status === undefined ? `${name} reported it in its stream` : `${name} answered ${status}`;
  call.note('failed', detail);
  const plain = status === undefined ? 'The provider reported a failure in its stream.' : `The provider failed: it answered ${status}.`;
  const message = failure.message ?? (failure.code === 'upstream_failed' ? plain : undefined);
  // Names that only a caller of that vendor's own format could know.
  const isOpenai = provider.chat.some(({ codec }) => codec.format.startsWith('openai'));
  const { param } = failure.vendor ?? {};
  const vendor = isOpenai ? failure.vendor : param === undefined ? undefined : { param };
  const { vendor: _vendor, ...rest } = failure;
  return new ProviderError({ ...rest, ...(message === undefined ? {} : { message }), ...(vendor === undefined ? {} : { vendor }) }, detail);
}
