import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { adminPath, AdminProblem, createAdminClient, readAnswer, type AskAdmin } from '../admin/client.ts';
import type { Hub } from '../gateway/hub.ts';
import { note } from './print.ts';
import { localUrl, type Settings } from './settings.ts';

/** The admin API, of the hub that runs or of one in this process. */
export interface AdminAccess {
  readonly ask: AskAdmin;
  /** The hub in this process; undefined when a running one answers. */
  readonly hub: Hub | undefined;
  close(): Promise<void>;
}

/** Asks the running hub when there is one, else opens the same configuration and store in this process. */
export async function openAdmin(settings: Settings): Promise<AdminAccess> {
  const running = await findRunningHub(settings);
  if (running !== undefined) return { ask: running, hub: undefined, close: async () => {} };
  const { Hub } = await import('../gateway/hub.ts');
  const hub = await Hub.open({ ...settings, logLevel: 'silent' });
  await hub.lanes.tools.settled();
  return { ask: askInProcess(hub), hub, close: () => hub.close() };
}

/** The admin API of the hub that runs with this data folder's token; undefined when there is none. */
export async function findRunningHub({ adminHost, adminPort, dataDir, env }: Settings): Promise<AskAdmin | undefined> {
  const token = env.HUBGATE_ADMIN_TOKEN || (await readFile(join(dataDir, 'admin-token'), 'utf8').catch(() => '')).trim();
  if (token === '') return undefined;
  const url = localUrl(adminHost, adminPort);
  const ask = createAdminClient({ url, token });
  try {
    await ask('GET', '/status');
    return ask;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof AdminProblem && error.status === 401) {
      note(`The hub at ${url} has another admin token than this data folder, so this works without it, on ${dataDir}.`);
    } else if (code !== 'ECONNREFUSED')
      note(`No hub can be asked at ${url} (${code ?? (error as Error).message}), so this works on ${dataDir}.`);
    return undefined;
  }
}

function askInProcess(hub: Hub): AskAdmin {
  return async (method, path, { query, body } = {}) => {
    const { status, body: answer } = await hub.http.send({
      method,
      origin: 'hub:admin',
      path: adminPath(path, query),
      headers: { 'content-type': 'application/json' },
      trust: 'operator',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return readAnswer(status, answer.toString());
  };
}
