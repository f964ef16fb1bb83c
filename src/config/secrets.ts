import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { nearest } from './reading/nearest.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const REFERENCE = /\$\{([A-Za-z][A-Za-z0-9-]*):([^}]*)\}/g;
const KINDS = ['env', 'file'];
const PLANNED = new Set(['vault', 'aws-kms']);
const LARGEST_FILE = 64 * 1024;

/** The process's own environment. */
export function processEnvironment(): Environment {
  return process.env;
}

/** Reads what `${env:NAME}` and `${file:PATH}` stand for; paths are relative to `folder`. */
export class References {
  readonly #env: Environment;
  readonly #folder: string;
  readonly #files = new Set<string>();

  constructor(env: Environment, folder: string) {
    this.#env = env;
    this.#folder = folder;
  }

  /** Absolute paths of all files that were read or looked for. */
  get files(): readonly string[] {
    return [...this.#files];
  }

  /** The text with its references replaced, and what they stood for. Throws an Error that says the fix and never quotes a value. */
  resolve(text: string): { readonly text: string; readonly values: readonly string[] } {
    const values: string[] = [];
    const resolved = text.replace(REFERENCE, (_match, kind: string, name: string) => {
      const value = this.#read(kind, name);
      values.push(value);
      return value;
    });
    return { text: resolved, values };
  }

  #read(kind: string, name: string): string {
    if (kind === 'env') return this.#readVariable(name);
    if (kind === 'file') return this.#readFile(name);
    if (PLANNED.has(kind)) throw new Error(`\${${kind}:…} is not built yet. Use \${env:NAME} or \${file:PATH}.`);
    const suggestion = nearest(kind, KINDS);
    throw new Error(
      `There is no reference \${${kind}:…}. ${suggestion ? `Did you mean \${${suggestion}:…}?` : 'Use ${env:NAME} or ${file:PATH}.'}`,
    );
  }

  #readVariable(name: string): string {
    const value = Object.hasOwn(this.#env, name) ? this.#env[name] : undefined;
    if (value === undefined || value === '') {
      const state = value === '' ? 'is empty' : 'is not set';
      throw new Error(`The environment variable ${name} ${state}. Set it before the hub starts.`);
    }
    return value;
  }

  #readFile(name: string): string {
    const file = path.resolve(this.#folder, name);
    this.#files.add(file);
    const info = statSync(file, { throwIfNoEntry: false });
    if (!info) throw new Error(`The file ${name} is not there. Paths are relative to ${this.#folder}.`);
    if (!info.isFile()) throw new Error(`${name} is not a file.`);
    if (info.size > LARGEST_FILE) throw new Error(`The file ${name} is larger than ${LARGEST_FILE / 1024} KB.`);
    let text: string;
    try {
      text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    } catch (error) {
      throw new Error(`The file ${name} cannot be read (${(error as NodeJS.ErrnoException).code}). Check its permissions.`, {
        cause: error,
      });
    }
    if (text === '') throw new Error(`The file ${name} is empty.`);
    return text;
  }
}

/** Reads a file of the data folder, or makes it with `create`, readable by its owner only. Two processes that start at once get the same. */
function loadOrCreate(dataDir: string, name: string, create: () => string): string {
  const file = path.join(dataDir, name);
  if (!statSync(file, { throwIfNoEntry: false })) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const draft = `${file}.${randomBytes(6).toString('hex')}`;
    writeFileSync(draft, `${create()}\n`, { mode: 0o600, flag: 'wx', flush: true });
    try {
      linkSync(draft, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(draft);
    }
  }
  return readFileSync(file, 'utf8').trim();
}

/**
 * The key that encrypts stored secrets: HUBGATE_SECRET_KEY, or `secret-key` in the data folder, made there when it is absent.
 * Throws an Error when it is not 64 hex digits.
 */
export function loadOrCreateSecretKey(dataDir: string, env: Environment): Buffer {
  const given = env['HUBGATE_SECRET_KEY'];
  const text = given || loadOrCreate(dataDir, 'secret-key', () => randomBytes(32).toString('hex'));
  if (!/^[0-9a-fA-F]{64}$/.test(text)) {
    const origin = given ? 'HUBGATE_SECRET_KEY' : path.join(dataDir, 'secret-key');
    throw new Error(
      `${origin} must be 64 hex digits. Make one with: openssl rand -hex 32. Secrets stored under another key cannot be read with a new one.`,
    );
  }
  return Buffer.from(text, 'hex');
}

/** The admin token: HUBGATE_ADMIN_TOKEN, or `admin-token` in the data folder, made there when it is absent. */
export function loadOrCreateAdminToken(dataDir: string, env: Environment): { readonly token: string; readonly given: boolean } {
  const given = env['HUBGATE_ADMIN_TOKEN'];
  if (given) return { token: given, given: true };
  const token = loadOrCreate(dataDir, 'admin-token', () => randomBytes(32).toString('base64url'));
  if (token === '') throw new Error(`${path.join(dataDir, 'admin-token')} is empty. Remove it, and the hub makes a new one.`);
  return { token, given: false };
}
