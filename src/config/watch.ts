import { watch } from 'chokidar';
import { stat } from 'node:fs/promises';
import path from 'node:path';

/** Watches the files of a configuration. */
export interface ConfigWatch {
  close(): Promise<void>;
  /** Watches these files and folders besides: what a load has read or looked for. Those of the call before are let go. */
  follow(files: readonly string[]): void;
}

export interface WatchOptions {
  /** Path of hubgate.yaml. */
  readonly file: string;
  /** Called with the absolute paths that changed, once they have been still for a moment. */
  onChange(paths: readonly string[]): void;
  /** Called when the system cannot watch; changes may be missed from then on. */
  onError?(error: Error): void;
}

/** Milliseconds without an event after which a change is told. */
const STILL = 40;
/** Milliseconds after which a change is told although more events come. */
const LONGEST_WAIT = 200;
const FOLDERS = ['openapi-specs', 'virtual-servers'];
/** Kubernetes swaps this link when a mounted volume changes; the files themselves give no event. */
const VOLUME_LINK = '..data';

/**
 * Watches hubgate.yaml, openapi-specs/, virtual-servers/ and what `follow` names. Folders are watched, not files, so that editors that write
 * beside a file and rename are seen, and so are files that come back. A document is told when its size stays the same, as long ones take
 * their time.
 */
export function watchConfig(options: WatchOptions): ConfigWatch {
  const file = path.resolve(options.file);
  const home = path.dirname(file);
  const folders = FOLDERS.map((folder) => path.join(home, folder));
  let followed = new Set<string>();
  /** Folders whose direct children may matter. */
  let parents = new Set([home, ...folders]);

  const matters = (target: string): boolean => {
    const parent = path.dirname(target);
    if (target === file || parents.has(target) || followed.has(target)) return true;
    return folders.includes(parent) || followed.has(parent) || (path.basename(target) === VOLUME_LINK && parents.has(parent));
  };
  const isHidden = (target: string): boolean => path.basename(target).startsWith('.') && path.basename(target) !== VOLUME_LINK;

  const change = settle(
    (target) => folders[0] === path.dirname(target),
    (paths) => options.onChange(paths),
  );
  const watcher = watch([home, ...folders], {
    ignoreInitial: true,
    atomic: false,
    depth: 1,
    ignored: (target) => {
      const absolute = path.resolve(target);
      return !matters(absolute) || (isHidden(absolute) && !followed.has(absolute) && !parents.has(absolute));
    },
  });
  watcher.on('all', (_event, target) => change.add(path.resolve(target)));
  watcher.on('error', (error) => options.onError?.(error instanceof Error ? error : new Error(String(error))));

  return {
    async close() {
      change.stop();
      await watcher.close();
    },
    follow(files) {
      const next = new Set(files.map((one) => path.resolve(one)));
      const nextParents = new Set([home, ...folders, ...[...next].map((one) => path.dirname(one))]);
      const gone = [...parents].filter((parent) => !nextParents.has(parent));
      followed = next;
      parents = nextParents;
      if (gone.length > 0) watcher.unwatch(gone);
      watcher.add([...parents, ...next]);
    },
  };
}

/** Collects paths until nothing comes for a moment, and waits for the slow ones to keep their size. */
function settle(isSlow: (target: string) => boolean, tell: (paths: readonly string[]) => void) {
  let waiting = new Set<string>();
  let since = 0;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const fire = async () => {
    timer = undefined;
    const paths = [...waiting];
    waiting = new Set();
    const moving = await Promise.all(paths.filter(isSlow).map(isGrowing));
    if (stopped) return;
    if (moving.includes(true)) paths.forEach((target) => add(target));
    else tell(paths);
  };
  const add = (target: string) => {
    if (stopped) return;
    if (waiting.size === 0) since = Date.now();
    waiting.add(target);
    clearTimeout(timer);
    timer = setTimeout(() => void fire(), Math.max(0, Math.min(STILL, since + LONGEST_WAIT - Date.now())));
  };
  return {
    add,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

async function isGrowing(target: string): Promise<boolean> {
  const size = () =>
    stat(target).then(
      (info) => info.size,
      () => -1,
    );
  const before = await size();
  if (before < 0) return false;
  await new Promise((resolve) => setTimeout(resolve, STILL));
  return (await size()) !== before;
}
