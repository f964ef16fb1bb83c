/** The family whose seals `encrypted_content` holds without saying so. */
export const NATIVE = 'openai';

/** Marks the family of a seal that belongs to the call after it: a call has no field for one here. */
export const CALL_SEAL = '+call';
