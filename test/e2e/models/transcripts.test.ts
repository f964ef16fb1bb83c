import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Mocks, startMocks } from '../../support/mock-providers/server.mjs';
import { FORMATS, frames, readTranscript, record, transcriptFile, TRANSCRIPTS } from './transcripts.ts';

describe('the golden transcripts are what the mocks of the vendors stream', () => {
  let mocks: Mocks;
  beforeAll(async () => {
    mocks = await startMocks();
  });
  afterAll(() => mocks.close());

  it.each(FORMATS.flatMap((format) => TRANSCRIPTS.map((name) => ({ format, name }))))('$format, $name', async ({ format, name }) => {
    const said = await record(mocks, format, name);
    if (process.env.HUBGATE_WRITE_TRANSCRIPTS === '1') {
      const file = transcriptFile(format, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, said);
    }
    expect(readTranscript(format, name).equals(said)).toBe(true);
    expect(Buffer.concat(frames(format, said)).equals(said)).toBe(true);
    expect(frames(format, said).length).toBeGreaterThan(2);
  });
});
