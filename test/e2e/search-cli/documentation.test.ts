import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askAdmin } from '../../support/ask-admin.ts';
import { startHub, type Hub } from '../../support/start-hub.ts';
import { runHere } from '../../unit/cli/run-cli.ts';

const PAGE = new URL('../../../docs/evaluation.md', import.meta.url);
const PETSTORE = readFileSync(new URL('../../../openapi-specs/petstore.yaml', import.meta.url), 'utf8');
const FILE = /^```yaml\n# (?<path>[\w.-]+)\n(?<text>[\s\S]*?)^```$/gm;
const SESSION = /^```console\n\$ npx \. (?<command>.+)\n(?<shown>[\s\S]*?)^```$/gm;

const page = readFileSync(PAGE, 'utf8');
const files = Object.fromEntries([...page.matchAll(FILE)].map(({ groups }) => [groups!['path']!, groups!['text']!]));
const sessions = [...page.matchAll(SESSION)].map(({ 0: block, groups }) => ({
  block,
  command: groups!['command']!,
  shown: groups!['shown']!,
}));

let hub: Hub;
beforeAll(async () => {
  hub = await startHub({ files: { ...files, 'openapi-specs/petstore.yaml': PETSTORE } });
});
afterAll(() => hub.stop());

describe('docs/evaluation.md', () => {
  it('has files and sessions', () => {
    expect(Object.keys(files)).toEqual(['hubgate.yaml', 'questions.yaml', 'texts.yaml', 'broken.yaml']);
    expect(sessions.length).toBeGreaterThan(4);
  });

  it('is about a configuration without a warning', async () => {
    const { body } = await askAdmin(hub, 'GET', '/status');
    expect([...body.config.errors, ...body.config.warnings]).toEqual([]);
  });

  it.each(sessions)('shows what comes of $command', async ({ block, command, shown }) => {
    const args = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, inside, bare]) => inside ?? bare!);
    const named = args.map((arg) => (Object.hasOwn(files, arg) ? `${hub.dir}/${arg}` : arg));
    const { stdout, stderr } = await runHere(hub.dir, named, { HUBGATE_ADMIN_PORT: new URL(hub.adminUrl).port });
    const printed = `${stdout}${stderr}`.replaceAll(`${hub.dir}/`, '').replaceAll(/ +$/gm, '');
    if (process.env.HUBGATE_WRITE_EVALUATION)
      writeFileSync(
        PAGE,
        readFileSync(PAGE, 'utf8').replace(block, () => `\`\`\`console\n$ npx . ${command}\n${printed}\`\`\``),
      );
    else expect(shown, 'written by HUBGATE_WRITE_EVALUATION=1 npx vitest run --project stories test/e2e/search-cli').toBe(printed);
  });
});
