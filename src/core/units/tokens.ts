/** Characters of a token, roughly: what vendors quote for English. An estimate is always marked as one. */
const CHARACTERS = 4;

export function estimateTokens(characters: number): number {
  return Math.max(1, Math.ceil(characters / CHARACTERS));
}

/** Fields whose text is no prompt: pictures and files count by other rules, and would count thousandfold here. */
const BINARY = /^data:[^,]{0,200};base64,/;
const BINARY_KEYS = new Set(['data', 'file_data', 'bytes', 'signature', 'encrypted_content']);
/** What a vendor counts for one picture, roughly. */
const PICTURE_TOKENS = 1000;

/** Tokens of JSON that a model reads, from its texts and keys: messages, the definition of a tool. */
export function tokensOf(json: unknown): number {
  let characters = 0;
  let pictures = 0;
  const walk = (value: unknown, key: string): void => {
    if (typeof value === 'string') {
      if (BINARY.test(value) || (BINARY_KEYS.has(key) && value.length > 256)) pictures++;
      else characters += value.length;
    } else if (Array.isArray(value)) for (const item of value) walk(item, key);
    else if (typeof value === 'object' && value !== null) {
      for (const [name, item] of Object.entries(value)) {
        characters += name.length;
        walk(item, name);
      }
    }
  };
  walk(json, '');
  return estimateTokens(characters) + pictures * PICTURE_TOKENS;
}
