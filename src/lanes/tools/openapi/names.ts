import { createHash } from 'node:crypto';

/** What a name is made from. */
export interface Nameable {
  /** `GET /pets/{id}`. */
  readonly identity: string;
  readonly method: string;
  readonly path: string;
  readonly operationId?: string;
}

/** Characters of a name with every prefix. */
const LONGEST = 48;
const LEGAL = /^[A-Za-z][A-Za-z0-9_-]*$/;
const HASH_LENGTH = 6;

/**
 * Names by identity: legal, and unique without regard to case. Names in `given` stay. A legal operationId stays as it is; others are cleaned, and
 * get a hash of the identity where they are cut or collide. Names have room for `service_` before them.
 */
export function nameOperations(
  operations: readonly Nameable[],
  service: string,
  given: Readonly<Record<string, string>> = {},
): Map<string, string> {
  const room = LONGEST - service.length - 1;
  const names = new Map<string, string>();
  const used = new Set<string>();
  const claim = (identity: string, name: string): boolean => {
    if (used.has(name.toLowerCase())) return false;
    used.add(name.toLowerCase());
    names.set(identity, name);
    return true;
  };
  const fits = (name: string): boolean => name.length <= room && LEGAL.test(name);
  for (const { identity } of operations) {
    const name = Object.hasOwn(given, identity) ? given[identity] : undefined;
    if (name !== undefined && fits(name)) claim(identity, name);
  }
  for (const { identity, operationId } of operations) {
    if (!names.has(identity) && operationId !== undefined && fits(operationId)) claim(identity, operationId);
  }
  const prefix = commonPrefix(operations);
  for (const operation of operations) {
    const { identity, operationId = '' } = operation;
    if (names.has(identity)) continue;
    const plain = cleaned(operationId) ?? fromPath(operation, prefix);
    if (plain.length <= room && claim(identity, plain)) continue;
    // The hash makes twins differ; a collision of hashes is answered by another one.
    for (let salt = 0; !claim(identity, hashed(plain, identity, room, salt)); salt += 1);
  }
  return names;
}

/** An operationId with legal characters only; undefined when too little of it would be left to be read. */
function cleaned(operationId: string): string | undefined {
  if (/^[A-Za-z][A-Za-z0-9_/.-]*[A-Za-z0-9]$/.test(operationId)) return operationId.replace(/[/.]+/g, '_');
  const plain = operationId.normalize('NFKD').replace(/\p{M}+/gu, '');
  const letters = plain.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
  const kept = plain.match(/[A-Za-z0-9]/g)?.length ?? 0;
  if (kept === 0 || kept * 2 < letters) return undefined;
  const name = plain.replace(/[^A-Za-z0-9_-]+/g, '_').replace(/^[_-]+|[_-]+$/g, '');
  return /^[A-Za-z]/.test(name) ? name : `op_${name}`;
}

function fromPath({ method, path }: Nameable, prefix: number): string {
  const words = wordsOf(path).slice(prefix).map((word) => word.replace(/\{([^{}]*)\}/g, '_by_$1_')); // prettier-ignore
  const name = [method.toLowerCase(), ...words].join('_').normalize('NFKD').replace(/[^A-Za-z0-9]+/g, '_').replace(/^_+|_+$/g, ''); // prettier-ignore
  return /^[A-Za-z]/.test(name) ? name : `op_${name}`;
}

function wordsOf(path: string): string[] {
  return path.split('/').filter((word) => word !== '');
}

/** How many words all paths begin with alike that say nothing: `/api/v1/…`. */
function commonPrefix(operations: readonly Nameable[]): number {
  const [first] = operations;
  if (first === undefined || operations.every(({ operationId }) => operationId !== undefined && LEGAL.test(operationId))) return 0;
  const lead: string[] = [];
  for (const word of wordsOf(first.path)) {
    if (!/^(api|rest|v\d+(\.\d+)*)$/i.test(word)) break;
    lead.push(word);
  }
  let length = lead.length;
  for (const { path } of operations) {
    if (length === 0) return 0;
    const words = wordsOf(path);
    while (length > 0 && (words.length <= length || lead.slice(0, length).some((word, index) => words[index] !== word))) length -= 1;
  }
  return length;
}

function hashed(plain: string, identity: string, room: number, salt: number): string {
  const digest = createHash('sha256').update(salt === 0 ? identity : `${identity} ${salt}`).digest(); // prettier-ignore
  let hash = '';
  for (let index = 0; index < HASH_LENGTH; index += 1) hash += 'abcdefghijklmnopqrstuvwxyz234567'[(digest[index] ?? 0) % 32];
  const longest = room - HASH_LENGTH - 1;
  let stem = plain.slice(0, longest);
  if (plain.length > longest) {
    const boundary = Math.max(stem.lastIndexOf('_'), stem.lastIndexOf('-'), stem.search(/[A-Z][a-z]*$/));
    if (boundary > longest / 2) stem = stem.slice(0, boundary);
  }
  return `${stem.replace(/[_-]+$/, '')}_${hash}`;
}
