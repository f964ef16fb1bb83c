import type { KeyValueStore } from '../../../../src/core/contracts/extension.ts';

/** A store that tells what it was asked, and fails on demand. */
export class FakeStore implements KeyValueStore {
  readonly values = new Map<string, unknown>();
  readonly reads: string[] = [];
  readonly writes: { readonly key: string; readonly value: unknown; readonly ttlMs: number | undefined }[] = [];
  failing: 'nothing' | 'reads' | 'all' = 'nothing';
  /** Answers wait for it. */
  gate: Promise<void> = Promise.resolve();

  async get(key: string): Promise<unknown> {
    this.reads.push(key);
    await this.gate;
    if (this.failing !== 'nothing') fail();
    return this.values.get(key);
  }

  async set(key: string, value: unknown, { ttlMs }: { readonly ttlMs?: number } = {}): Promise<void> {
    this.writes.push({ key, value, ttlMs });
    await this.gate;
    if (this.failing === 'all') fail();
    this.values.set(key, value);
  }

  async delete(key: string): Promise<void> {
    this.values.delete(key);
  }
}

function fail(): never {
  throw Object.assign(new Error('disk is full'), { code: 'SQLITE_FULL' });
}
