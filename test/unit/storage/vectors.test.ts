import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, it } from 'vitest';
import { openStore } from '../../../src/storage/open-store.ts';

it('vectors are little-endian floats at rest, and bytes that are none are as if absent', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'hubgate-vectors-'));
  const open = () => openStore('sqlite:', { dataDir, secretKey: Buffer.alloc(32, 7) });
  const first = await open();
  await first.vectors.put('m', new Map(['whole', 'cut', 'none'].map((hash) => [hash, Float32Array.of(1, -2)])));
  await first.close();

  const file = new Sqlite(join(dataDir, 'hubgate.db'));
  const row = file.prepare("select typeof(vector) as type, hex(vector) as bytes from text_vector where hash = 'whole'").get();
  expect(row).toEqual({ type: 'blob', bytes: '0000803F000000C0' });
  file.prepare("update text_vector set vector = x'0000803F00' where hash = 'cut'").run();
  file.prepare("update text_vector set vector = x'' where hash = 'none'").run();
  file.close();

  const second = await open();
  expect(await second.vectors.get('m', ['whole', 'cut', 'none'])).toEqual(new Map([['whole', Float32Array.of(1, -2)]]));
  await second.vectors.put('m', new Map([['cut', Float32Array.of(3)]]));
  expect((await second.vectors.get('m', ['cut'])).get('cut')).toEqual(Float32Array.of(3));
  await second.close();
  await rm(dataDir, { recursive: true });
});
