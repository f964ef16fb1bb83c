import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeFolder, PETSTORE, PETSTORE_SPEC, runHere, type CliResult } from './run-cli.ts';

const DESK = `tools:
  - from: petstore
    include: [list*]
  - from: petstore
    include: ['*']
    exclude:
      - delete*
overrides:
  petstore.listPets: { enabled: false }
  petstore.deletePet: { name: remove }
`;
const CONFIG = `${PETSTORE}    tools:
      delete*: { enabled: true }
  other:
    spec: other.yaml
    tools:
      hide*: { enabled: false }
  off: { spec: other.yaml, enabled: false }
agents:
  echo:
    card: demo:echo
    access:
      - allow: [{ skill: echo }]
consumers:
  - name: alice
`;
const OTHER = `openapi: 3.1.0
info: { title: Other, version: '1' }
paths:
  /more: { get: { operationId: getMore, responses: {} } }
  /hidden: { get: { operationId: hideMe, responses: {} } }
`;

let cwd: string;
beforeAll(async () => {
  cwd = await makeFolder({
    'hubgate.yaml': CONFIG,
    'petstore.yaml': PETSTORE_SPEC,
    'other.yaml': OTHER,
    'virtual-servers/desk.yaml': DESK,
  });
});
afterAll(() => rm(cwd, { recursive: true }));

const explain = (server: string, tool: string, ...more: string[]): Promise<CliResult> =>
  runHere(cwd, ['explain', 'tool', server, tool, '--as', 'alice', ...more]);

describe('explain tool', { timeout: 30_000 }, () => {
  it.each([
    ['a server', 'petstor', 'listPets', 'There is no server "petstor". Did you mean "petstore"?'],
    ['a tool of a service', 'petstore', 'listPet', 'There is no tool of petstore called "listPet". Did you mean "listPets"?'],
    ['a tool of all sources', '/mcp', 'petstore_lstPets', 'called "petstore_lstPets". Did you mean "petstore_listPets"?'],
    ['a tool that a virtual server does not take', 'desk', 'deletPet', 'called "deletPet". Did you mean "deletePet"?'],
    ['a tool of nothing alike', 'petstore', 'x', 'called "x". There are listPets, deletePet.'],
  ])('ends with 1 for %s that does not exist, and says what does', async (_what, server, tool, message) => {
    expect(await explain(server, tool)).toEqual({ code: 1, stdout: '', stderr: expect.stringContaining(message) });
    const json = await explain(server, tool, '--json');
    expect(json).toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
    expect(JSON.parse(json.stdout)).toMatchObject({ visible: false, callable: false });
  });

  it('ends with 1 for a consumer that does not exist', async () => {
    expect(await runHere(cwd, ['explain', 'tool', 'petstore', 'listPets', '--as', 'alcie'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'hubgate: There is no consumer "alcie". Did you mean "alice"?\n',
    });
  });

  it.each([
    ['that an override disables', 'desk', 'listPets', /an override disables it\. +virtual-servers\/desk\.yaml:9$/m],
    ['that an include does not take', 'desk', 'deletePet', /include of this selection does not take it\. +virtual-servers\/desk\.yaml:3$/m],
    ['that an exclude drops', 'desk', 'deletePet', /exclude of this selection drops it\. +virtual-servers\/desk\.yaml:6$/m],
    ['by the name that an override gives it', 'desk', 'remove', /has a tool deletePet, but the exclude .* virtual-servers\/desk\.yaml:6$/m],
    ['of a source that is not selected', 'desk', 'getMore', /The source other has .* takes from it.*virtual-servers\/desk\.yaml:1$/m],
    ['that its source disables', 'other', 'hideMe', /settings of the source disable it\. +hubgate\.yaml:10$/m],
    ['that its source disables, on /mcp', '/mcp', 'other_hideMe', /settings of the source disable it\. +hubgate\.yaml:10$/m],
    ['of a disabled server', 'off', 'getMore', /The server off is disabled\.$/m],
  ])('names the place that hides a tool %s', async (_what, server, tool, line) => {
    const told = await explain(server, tool);
    expect(told).toMatchObject({ code: 0, stderr: '' });
    expect(told.stdout).toMatch(line);
    expect(told.stdout).toContain(': hidden, not callable');
  });
});

describe('explain agent', { timeout: 30_000 }, () => {
  const agent = (name: string, ...more: string[]): Promise<CliResult> => runHere(cwd, ['explain', 'agent', name, '--as', 'alice', ...more]);

  it('says which rules act on a message and which instance would get it', async () => {
    const told = await agent('echo', '--skill', 'echo');
    expect(told).toMatchObject({ code: 0, stderr: '' });
    expect(told.stdout).toContain('echo of echo for alice: visible, callable');
    expect(told.stdout).toMatch(/shows +access rule 1, allow { skill: echo } \(true\) +hubgate\.yaml:16$/m);
    expect(told.stdout).toMatch(/allows +instance echo: weight 1, healthy, ready +hubgate\.yaml:13$/m);
    const other = await agent('echo', '--skill', 'count', '--json');
    expect(other.code).toBe(0);
    expect(JSON.parse(other.stdout)).toMatchObject({ callable: false });
  });

  it('ends with 1 for an agent or a consumer that does not exist', async () => {
    expect(await agent('ehco')).toEqual({ code: 1, stdout: '', stderr: 'hubgate: There is no agent "ehco". Did you mean "echo"?\n' });
    expect(await runHere(cwd, ['explain', 'agent', 'echo'])).toMatchObject({ code: 1, stderr: expect.stringContaining('--as CONSUMER') });
  });
});

describe('tools list', { timeout: 30_000 }, () => {
  it('shows the tools of an agent that a consumer may use', async () => {
    const { stdout } = await runHere(cwd, ['tools', 'list', '--server', 'echo', '--as', 'alice']);
    expect(stdout.split('\n').map((line) => line.split(' ')[0])).toEqual(['echo', 'get_task', 'cancel_task', '']);
  });
});
