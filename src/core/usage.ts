/** Tokens and money of one call. Absent is unknown, which is not zero. */
export interface Usage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly totalTokens?: number;
  /** US dollars; null when the model has no known price. */
  readonly cost?: number | null;
}
