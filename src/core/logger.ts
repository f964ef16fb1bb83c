/** Structured log. The first argument carries fields, the second a sentence; values that are known secrets are masked by the writer. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
}
