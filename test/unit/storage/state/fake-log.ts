import type { Logger } from '../../../../src/core/logger.ts';

/** A logger that keeps what it is told, one text for each entry. */
export function fakeLog(): { readonly log: Logger; readonly said: string[] } {
  const said: string[] = [];
  const keep =
    (level: string) =>
    (fields: object, message: string): void =>
      void said.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const log: Logger = { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error'), child: () => log };
  return { log, said };
}
