import type { Problem } from '../core/contracts/resource.ts';

/** What a person reads when a command fails: what is wrong and what to do, with the trace only where the fault is ours. */
export function failureText(error: unknown): string {
  if (!(error instanceof Error)) return `hubgate: ${String(error)}`;
  const problems = own<readonly Problem[]>(error, 'problems');
  if (problems !== undefined) return [...problems.map(problemLine), `hubgate: ${error.message}. Nothing was started.`].join('\n');
  const errors = own<readonly { readonly path: string; readonly message: string }[]>(error, 'errors') ?? [];
  const more = errors
    .filter(({ message }) => message !== error.message)
    .map(({ path, message }) => `  ${path === '' ? '' : `${path} `}${message}`);
  return [`hubgate: ${isOurs(error) ? (error.stack ?? error.message) : error.message}`, ...more].join('\n');
}

/** `file:line:column message`, as editors and terminals make links of it. */
export function problemLine({ file, line, column, pointer, message, severity }: Problem): string {
  const place = file === undefined ? pointer : [file, line, column].filter((part) => part !== undefined).join(':');
  return `${place ? `${place} ` : ''}${severity === 'warning' ? 'warning: ' : ''}${message}`;
}

/** True for what only a mistake in the hub throws. */
function isOurs(error: Error): boolean {
  return [TypeError, RangeError, ReferenceError, SyntaxError].some((kind) => error instanceof kind) || error.name === 'AssertionError';
}

function own<T>(error: Error, key: string): T | undefined {
  const value: unknown = Object.hasOwn(error, key) ? (error as unknown as Record<string, unknown>)[key] : undefined;
  return Array.isArray(value) ? (value as T) : undefined;
}
