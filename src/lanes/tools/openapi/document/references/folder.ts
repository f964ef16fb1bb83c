import { fileReference } from '../../../../../core/file-reference.ts';
import type { DocumentFolder, DocumentLimits } from '../../types.ts';
import { DocumentError } from '../../types.ts';
import type { ParseWarnings } from '../parse.ts';
import { parseText } from '../parse.ts';
import { shown } from '../tree.ts';

/** Told when a file is parsed. */
type Warn = (path: string, warnings: ParseWarnings) => void;

/** The files that references of a document may lead to: those that were given with it, and nothing else. */
export class Folder {
  readonly #given: DocumentFolder | undefined;
  readonly #url: string | undefined;
  readonly #limits: DocumentLimits;
  readonly #warn: Warn;
  readonly #parsed = new Map<string, { readonly root: unknown } | { readonly fault: string }>();

  /** `url`: where the document was fetched; such a document has no folder. */
  constructor(given: DocumentFolder | undefined, url: string | undefined, limits: DocumentLimits, warn: Warn) {
    this.#given = given;
    this.#url = url;
    this.#limits = limits;
    this.#warn = warn;
  }

  /** The path of the document itself; empty when it has no folder. */
  get entry(): string {
    return this.#given?.entry ?? '';
  }

  /** Gives the values of a file that is known already. */
  put(path: string, root: unknown): void {
    this.#parsed.set(path, { root });
  }

  /** The path in the folder that `address` means in the file `from`, or why there is none, as a sentence about the reference. */
  resolve(from: string, address: string): { readonly path: string } | { readonly fault: string } {
    const found = fileReference(from, address);
    if ('path' in found) return this.#given === undefined ? { fault: this.#alone } : found;
    switch (found.outside) {
      case 'web':
        return { fault: this.#fetching };
      case 'scheme':
        return { fault: `is an address of the scheme ${found.scheme.slice(0, 20)}:, which is not read.` };
      case 'absolute':
        return { fault: "is an absolute path; only files in the document's own folder are read." };
      case 'above':
        return { fault: this.#given === undefined ? this.#alone : "leads out of the document's folder; only files inside it are read." };
      case 'nameless':
        return { fault: 'is not the name of a file.' };
    }
  }

  /** The values of a file, or why it cannot be read, as a sentence about a reference to it. */
  read(path: string): { readonly root: unknown } | { readonly fault: string } {
    let result = this.#parsed.get(path);
    if (result === undefined) {
      result = this.#read(path);
      this.#parsed.set(path, result);
    }
    return result;
  }

  #read(path: string): { readonly root: unknown } | { readonly fault: string } {
    const text = this.#given?.files.get(path);
    if (text === undefined) {
      const reason = this.#given?.unread.get(path);
      return { fault: reason === undefined ? "leads to a file that is not in the document's folder." : `leads to a file that is not read: ${reason}` }; // prettier-ignore
    }
    const warnings: ParseWarnings = [];
    try {
      return { root: parseText(text, this.#limits, warnings) };
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      const line = error.line === undefined ? '' : ` (line ${error.line})`;
      return { fault: `leads to ${shown(path)}, which cannot be read${line}: ${error.message}` };
    } finally {
      this.#warn(path, warnings);
    }
  }

  get #alone(): string {
    return this.#url === undefined ? ALONE : this.#fetching;
  }

  get #fetching(): string {
    return this.#url === undefined
      ? 'leads to another address, which is not fetched. Put that document beside this one, and name it by its file.'
      : 'leads to another address, and only the document itself is fetched, also from its own origin. Import all its files as a zip archive.';
  }
}

const ALONE = 'leads to another file, and this document came without any. Import all its files as a zip archive.';
