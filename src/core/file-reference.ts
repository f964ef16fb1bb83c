/**
 * Where a reference leads: to a file of the folder, as a path in it by `/`, or out of it: to an address on the web, to one of another scheme (in lower
 * case), to an absolute path, above the folder, or to a name that no file can have.
 */
export type FileReference =
  | { readonly path: string }
  | { readonly outside: 'web' | 'absolute' | 'above' | 'nameless' }
  | { readonly outside: 'scheme'; readonly scheme: string };

/**
 * What a relative reference (RFC 3986, 4.2; its query and fragment do not count) means in the file `from` of a folder. Whoever reads files by it opens
 * nothing outside the folder but through links. Backslashes are taken for slashes, and nothing of it is percent-encoded.
 */
export function fileReference(from: string, reference: string): FileReference {
  const address = reference.replace(/[#?].*$/s, '');
  if (address === '') return { path: from };
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(address)?.[1]?.toLowerCase();
  if (scheme === 'http' || scheme === 'https' || address.startsWith('//')) return { outside: 'web' };
  if (scheme !== undefined) return { outside: 'scheme', scheme };
  const plain = decoded(address).replaceAll('\\', '/');
  if (plain.startsWith('/') || DRIVE.test(plain)) return { outside: 'absolute' };
  if (plain.includes('\0')) return { outside: 'nameless' };
  const parts = from.split('/').slice(0, -1);
  for (const part of plain.split('/')) {
    if (part === '..') {
      if (parts.pop() === undefined) return { outside: 'above' };
    } else if (part !== '.' && part !== '') parts.push(part);
  }
  const path = parts.join('/');
  return DRIVE.test(path) ? { outside: 'absolute' } : { path };
}

const DRIVE = /^[a-z]:/i;

/** Percent-encoding taken off; what cannot be decoded stays as it stands. */
export function decoded(address: string): string {
  try {
    return decodeURIComponent(address);
  } catch {
    return address;
  }
}
