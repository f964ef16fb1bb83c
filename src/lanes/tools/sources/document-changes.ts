import type { OverlayFile } from '../../../config/types.ts';
import type { Logger } from '../../../core/logger.ts';
import { diffInSlices, summaryOf } from '../openapi/changes/diff.ts';
import type { ServiceChanges } from '../openapi/changes/diff.ts';
import { DocumentError } from '../openapi/types.ts';
import type { CompiledService, OverlayText } from '../openapi/types.ts';

/** What the newest document changed about the one that was served before it. */
export interface DocumentChanges extends ServiceChanges {
  /** When the newest one took over, ISO 8601. */
  readonly at: string;
}

/** Compares two documents of a service without holding up the hub. */
export async function documentChanges(before: CompiledService, after: CompiledService): Promise<DocumentChanges> {
  const at = new Date().toISOString();
  return { at, ...(await diffInSlices(before, after)) };
}

/** One line of the log about a document that is served from now on; with what is other about it when it took the place of another one. */
export function logServed(
  log: Logger,
  service: string,
  { operations, warnings, leftOut }: CompiledService,
  changes?: DocumentChanges,
): void {
  const facts = { service, tools: operations.length, leftOut: leftOut.length, warnings: warnings.length };
  if (changes === undefined) return log.info(facts, 'document served');
  const { added, removed, changed } = changes;
  const breaking = removed.length + changed.filter(({ notice }) => notice === 'breaking').length;
  const counts = { added: added.length, removed: removed.length, changed: changed.length, breaking };
  log.info({ ...facts, ...counts }, `document served: ${summaryOf(changes) || 'its operations are as they were'}`);
}

/** The texts of overlays. Throws DocumentError for one that could not be read. */
export function overlayTexts(files: readonly OverlayFile[]): OverlayText[] {
  for (const { error } of files) if (error !== undefined) throw new DocumentError(error.code, error.message, error);
  return files.map(({ display, text }) => ({ file: display, text }));
}
