import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks of /proc in a second: 100 on every Linux that Node runs on. */
const TICKS = 100;
const PAGE = 4096;

const afterName = (stat: string): string[] => stat.slice(stat.lastIndexOf(')') + 2).split(' ');

/** The process and all below it. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const parent = Number(afterName(readOrEmpty(`/proc/${entry}/stat`))[1]);
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [Number(entry)]);
    else siblings.push(Number(entry));
  }
  const below = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(below)];
  return below(root);
}

/** Seconds of user and system time that the processes have used, all their threads counted. A process that is gone counts as 0. */
export function cpuSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const fields = afterName(readOrEmpty(`/proc/${pid}/stat`));
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }
  return ticks / TICKS;
}

/** Seconds that all cores together have been busy since the machine started. */
export function busySeconds(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = readOrEmpty('/proc/stat')
    .split('\n', 1)[0]!
    .split(/ +/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq) / TICKS;
}

/** MB of memory that the processes hold. */
export function residentMb(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (Number(readOrEmpty(`/proc/${pid}/statm`).split(' ')[1] ?? 0) * PAGE) / 2 ** 20, 0);
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
