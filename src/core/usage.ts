/** Tokens and money of one call. Absent is unknown, which is not zero. */
export interface Usage {
  /** All that went in, read from and written to a cache included. */
  readonly inputTokens?: number;
  /** All that came out, reasoning included. */
  readonly outputTokens?: number;
  readonly totalTokens?: number;
  /** Part of the input: read from the vendor's cache. */
  readonly cacheReadTokens?: number;
  /** Part of the input: written to the vendor's cache, whatever the time it is kept. */
  readonly cacheWriteTokens?: number;
  /** Part of those written: kept for an hour or more. */
  readonly cacheWriteLongTokens?: number;
  /** Part of the output. */
  readonly reasoningTokens?: number;
  /** Parts of input and output. */
  readonly inputAudioTokens?: number;
  readonly outputAudioTokens?: number;
  /** The vendor's name of a service tier other than its usual one: `priority`, `flex`, `batch`, `fast`. Prices of lists do not hold for it. */
  readonly tier?: string;
  /** The vendor did not say: counted by the hub, roughly. */
  readonly estimated?: boolean;
  /** US dollars; null when the model has no known price. */
  readonly cost?: number | null;
}
