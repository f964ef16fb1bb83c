import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { runProgram } from '../../../src/cli/program.ts';

export const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `hubgate ARGS` in a folder to its end. No hub listens on the admin port that it is given. */
export function runCli(cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd,
      env: { PATH: process.env.PATH, HOME: cwd, HUBGATE_ADMIN_PORT: '1', ...env },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject).on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** The same in this process, which costs a tenth, with `hubgate.yaml` and `data` of the folder. */
export async function runHere(cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  const written = { stdout: '', stderr: '' };
  for (const [name, value] of Object.entries({
    HUBGATE_CONFIG: join(cwd, 'hubgate.yaml'),
    HUBGATE_DATA: join(cwd, 'data'),
    HUBGATE_ADMIN_PORT: '1',
    HUBGATE_KEY: '',
    ...env,
  }))
    vi.stubEnv(name, value);
  for (const stream of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      written[stream] += String(text);
      return true;
    });
  }
  try {
    return { code: (await runProgram(['node', 'hubgate', ...args])) ?? null, ...written };
  } finally {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  }
}

/** A new folder with these files in it. */
export async function makeFolder(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hubgate-cli-'));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

export const PETSTORE = 'services:\n  petstore:\n    spec: petstore.yaml\n    baseUrl: demo:petstore\n';
export const PETSTORE_SPEC = `openapi: 3.1.0
info: { title: Petstore, version: 1.0.0 }
paths:
  /pets:
    get:
      operationId: listPets
      summary: List pets.
      parameters: [{ name: limit, in: query, schema: { type: integer } }]
      responses: { '200': { description: Pets. } }
  /pets/{petId}:
    delete:
      operationId: deletePet
      parameters: [{ name: petId, in: path, required: true, schema: { type: integer } }]
      responses: { '204': { description: Gone. } }
`;
