import { setTimeout as delay } from 'node:timers/promises';
import { Hub } from '../gateway/hub.ts';
import { print } from './print.ts';
import type { Settings } from './settings.ts';
import { startBlock } from './start-block.ts';

/** Milliseconds that documents get before the start is told; large ones go on in the background. */
const DOCUMENTS_MS = 1_000;
/** Milliseconds for calls in flight when the hub is to end (reference security, limits). */
const DRAIN_MS = 25_000;
/** Milliseconds between looks at whether npm is still there. */
const NPM_MS = 500;

/** `hubgate serve`: runs the hub until a signal ends it. Resolves when it is drained. Throws ConfigRefused. */
export async function serve(settings: Settings): Promise<void> {
  const stopped = Promise.race([stopSignal(), ...(settings.env.npm_lifecycle_event === 'start' ? [npmEnded()] : [])]);
  const hub = await Hub.open(settings);
  // Node would print the error as it is, and what an extension throws may hold a secret.
  process.on('uncaughtException', (err) => {
    hub.log.error({ err }, 'the hub ends: nobody caught this error');
    process.exit(1);
  });
  const { url, adminUrl } = await hub.listen();
  await Promise.race([hub.lanes.tools.settled(), delay(DOCUMENTS_MS, undefined, { ref: false })]);
  print(await startBlock(hub.admin, { url, adminUrl, configFile: settings.configFile, dataDir: settings.dataDir }));
  const signal = await stopped;
  hub.log.info({ signal }, 'ending when the calls in flight have ended; a second signal ends at once');
  await hub.close(DRAIN_MS);
}

/** Resolves at the first signal; the second ends the process. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let stopping = false;
    const stop = (signal: NodeJS.Signals): void => {
      if (stopping) process.exit(1);
      stopping = true;
      resolve(signal);
    };
    process.on('SIGINT', stop).on('SIGTERM', stop);
  });
}

/**
 * Resolves when the parent of this process is gone. `npm start` passes SIGTERM on to the shell that it runs the script in; most shells
 * end by it and leave the hub behind. On Windows a parent is never seen to go.
 */
function npmEnded(): Promise<string> {
  const parent = process.ppid;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(timer);
      resolve('npm ended');
    }, NPM_MS);
    timer.unref();
  });
}
