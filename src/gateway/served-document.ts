import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { serviceName } from '../config/reading/documents.ts';
import { findOverlays } from '../config/reading/overlays.ts';
import type { OverlayText } from '../lanes/tools/openapi/types.ts';
import { overlayTexts } from '../lanes/tools/sources/document-changes.ts';

/** What openapi-specs/ has under the name of a service. */
export interface ServedDocument {
  /** Absolute path of the document; absent when there is none yet. */
  readonly file?: string;
  /** Overlays that lie beside it, or wait for it. */
  readonly overlays: readonly OverlayText[];
}

const DOCUMENT = /^[^.].*\.(?:json|ya?ml|zip)$/i;

/**
 * Looks in openapi-specs/ for the document of a service and its overlays; `as` is the file that the document will be, when there is none. Throws
 * DocumentError for an overlay that cannot be read.
 */
export async function findServed(specFolder: string, name: string, as: string): Promise<ServedDocument> {
  const names = await readdir(specFolder).catch(() => []);
  const found = names.find((entry) => DOCUMENT.test(entry) && !/\.overlay\.\w+$/i.test(entry) && serviceName(entry) === name);
  const file = join(specFolder, found ?? as);
  const placed = { service: name, file, display: `${basename(specFolder)}/${basename(file)}`, text: '', hash: '', modified: 0, bytes: 0 };
  const { overlays } = await findOverlays({}, dirname(specFolder), [placed]);
  return { ...(found !== undefined && { file }), overlays: overlayTexts(overlays.get(name) ?? []) };
}
