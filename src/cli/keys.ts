import { AdminProblem } from '../admin/client.ts';
import { openAdmin } from './admin-access.ts';
import { columns, note, print, printJson } from './print.ts';
import { CommandError, type Settings } from './settings.ts';

interface ShownKey {
  readonly id: string;
  readonly label?: string;
  readonly createdAt: string;
  readonly expiresAt?: string;
}

const path = (consumer: string): string => `/consumers/${encodeURIComponent(consumer)}/keys`;

/** `hubgate keys create`: the key alone on standard output, so that it can be piped; it is shown this once. */
export async function createKey(
  consumer: string,
  options: { label?: string; expires?: string; json?: boolean },
  settings: Settings,
): Promise<void> {
  const access = await openAdmin(settings);
  try {
    const { label, expires: expiresAt } = options;
    const made = (await access.ask('POST', path(consumer), { body: { label, expiresAt } }).catch((error: unknown) => {
      throw aboutExpiry(error, expiresAt) ?? error;
    })) as { id: string; key: string };
    if (options.json === true) return printJson(made);
    print(made.key);
    note(`This is the key of ${consumer}, shown this once; its id is ${made.id}. Callers send it as "Authorization: Bearer KEY".`);
  } finally {
    await access.close();
  }
}

/** What is wrong with the time, in the words of the command line. */
function aboutExpiry(error: unknown, expires: string | undefined): CommandError | undefined {
  const wrong = error instanceof AdminProblem ? error.errors.find(({ path }) => path === '/expiresAt') : undefined;
  return wrong && new CommandError(`--expires ${expires}: ${wrong.message}`);
}

/** `hubgate keys list`: what there is, without the keys themselves. */
export async function listKeys(consumer: string, { json }: { json?: boolean }, settings: Settings): Promise<void> {
  const access = await openAdmin(settings);
  try {
    const { items } = (await access.ask('GET', path(consumer))) as { items: ShownKey[] };
    if (json === true) return printJson(items);
    if (items.length === 0) return note(`The hub has made no key for ${consumer}. "hubgate keys create ${consumer}" makes one.`);
    print(
      columns([
        ['ID', 'CREATED', 'EXPIRES', 'LABEL'],
        ...items.map(({ id, createdAt, expiresAt = 'never', label = '' }) => [id, createdAt, expiresAt, label]),
      ]),
    );
  } finally {
    await access.close();
  }
}

/** `hubgate keys delete`: from then on the key is no longer taken. */
export async function deleteKey(consumer: string, id: string, settings: Settings): Promise<void> {
  const access = await openAdmin(settings);
  try {
    await access.ask('DELETE', `${path(consumer)}/${encodeURIComponent(id)}`);
    note(`The key ${id} of ${consumer} is deleted.`);
  } finally {
    await access.close();
  }
}
