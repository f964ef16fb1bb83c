const COLOURS = new Map([
  ['debug', 90],
  ['info', 32],
  ['warn', 33],
  ['error', 31],
]);

/** One JSON line of the log as a short line for a person: time, level, sentence, then the fields. */
export function formatLine(json: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(json) as { level: string; time: number; msg?: string; err?: { stack?: string } };
  const clock = new Date(time).toTimeString().slice(0, 8);
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const stack = err?.stack === undefined ? '' : `\n${err.stack}`;
  return `${clock} \u001B[${COLOURS.get(level) ?? 0}m${level}\u001B[0m ${[msg ?? '', ...rest].join(' ').trim()}${stack}\n`;
}
