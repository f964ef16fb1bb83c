import type { JsonObject } from '../../../../src/core/json.ts';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A copy that may lie beside the repository. */
const NEARBY = fileURLToPath(new URL('../../../../../shared/openapi-corpus/real/github.json', import.meta.url));
/** npm keeps it in its cache. As a dependency it would unpack 400 MB of other variants at each `npm ci`. */
const PACKAGE = '@octokit/openapi@23.0.2';
const FILE = 'package/generated/api.github.com.json';
/** Of the document as JSON without blanks, wherever it comes from. */
const SHA256 = '427fb3724933787ea9995ce86b6011e1efef0bcd9d1cf1e8ec70691342a7b35d';

/** GitHub's description of its REST API: 1,223 operations, OpenAPI 3.0.3. Always the same bytes. */
export async function readGitHubDocument(): Promise<JsonObject> {
  const text = await readFile(NEARBY, 'utf8').catch(unpack);
  const document = JSON.parse(text) as JsonObject;
  const sha256 = createHash('sha256').update(JSON.stringify(document)).digest('hex');
  if (sha256 !== SHA256) throw new Error(`This is another document than the one of ${PACKAGE}: its hash is ${sha256}.`);
  return document;
}

async function unpack(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hubgate-github-'));
  try {
    const { stdout } = await run('npm', ['pack', PACKAGE, '--silent', '--pack-destination', folder], { cwd: folder });
    await run('tar', ['-xzf', join(folder, stdout.trim()), '-C', folder, FILE]);
    return await readFile(join(folder, FILE), 'utf8');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
