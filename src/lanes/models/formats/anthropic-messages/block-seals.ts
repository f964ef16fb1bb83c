import type { Seal } from '../../../../core/chat.ts';
import type { JsonObject } from '../../../../core/json.ts';
import { writeSeal } from '../_seals.ts';

/** The family whose seals callers of this format send and get without a mark. */
export const NATIVE = 'anthropic';

/** Ends the family of a `redacted_thinking` that is the seal of the `tool_use` after it. */
const OF_CALL = '+call';

/** The seal of a call, when that is what the seal of a hidden block is. */
export function callSeal(seal: Seal | undefined): Seal | undefined {
  return seal?.family.endsWith(OF_CALL) ? { family: seal.family.slice(0, -OF_CALL.length), value: seal.value } : undefined;
}

/** The block that carries the seal of a call to a caller and back. */
export function callSealBlock({ family, value }: Seal): JsonObject {
  return { type: 'redacted_thinking', data: writeSeal({ family: family + OF_CALL, value }, NATIVE) };
}
