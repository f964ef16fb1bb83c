import type { ImportedDocument } from '../gateway/import-document.ts';
import { columns, count } from './print.ts';

type Operation = ImportedDocument['operations'][number];
type Changes = NonNullable<ImportedDocument['changes']>;

/** Entries of a list that a person reads; all with `verbose`. */
const MOST_SHOWN = 25;
/** Warnings of one kind. */
const MOST_OF_A_KIND = 3;
/** A document has no say in what the terminal does. */
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/g;

/** The report of an import for a person: a summary, what changes for consumers, what is left out, warnings by kind, and every operation in a table. */
export function importText(target: string, imported: ImportedDocument, verbose: boolean): string {
  const { error } = imported.report;
  return (error === undefined ? reportText(target, imported, verbose) : refusalText(target, error)).replace(CONTROLS, ' ');
}

function refusalText(target: string, { line, pointer, file, message }: NonNullable<ImportedDocument['report']['error']>): string {
  const place = line === undefined ? '' : `:${line}`;
  const why = `${message}${pointer ? ` (${pointer})` : ''}`;
  return file === undefined ? `${target}${place}: refused: ${why}` : `${target}: refused: ${file}${place}: ${why}`;
}

function reportText(target: string, { report, operations, changes }: ImportedDocument, verbose: boolean): string {
  const { document, warnings, leftOut } = report;
  const most = verbose ? Infinity : MOST_SHOWN;
  return [
    `${target}: ${document?.title} ${document?.version} (OpenAPI ${document?.openapi})`,
    `  ${summary(report, operations)}`,
    ...changesText(changes, most),
    ...list(
      'left out',
      leftOut.map(({ method, path, message }) => `${method.toUpperCase()} ${path}: ${message}`),
      most,
    ),
    ...warningsText(warnings, verbose),
    ...table(operations, most, verbose),
  ].join('\n');
}

function summary({ tools, leftOut, warnings }: ImportedDocument['report'], operations: readonly Operation[]): string {
  const tokens = operations.reduce((sum, operation) => sum + (operation.tokens ?? 0), 0);
  const shortened = operations.filter((operation) => operation.shortened !== undefined).length;
  return [
    count(tools.length, 'tool'),
    leftOut.length > 0 ? `${count(leftOut.length, 'operation')} left out` : '',
    warnings.length > 0 ? count(warnings.length, 'warning') : '',
    shortened > 0 ? `${shortened} shortened` : '',
    tools.length > 0 ? `about ${tokens} tokens, ${Math.round(tokens / tools.length)} a tool` : '',
  ]
    .filter((part) => part !== '')
    .join(', ');
}

function changesText(changes: Changes | undefined, most: number): string[] {
  if (changes === undefined) return [];
  if (changes.summary === '') return ['  nothing changes for consumers or upstream'];
  const named = ({ tool, method, path }: Changes['added'][number]): string => `${tool} (${method} ${path})`;
  const lines = [
    ...changes.removed.map((operation) => `- ${named(operation)}: breaking`),
    ...changes.changed.flatMap(({ changes: reasons, ...operation }) => [
      `~ ${named(operation)}: ${operation.notice}`,
      ...reasons.map(({ notice, message }) => `    ${message}${notice === operation.notice ? '' : ` (${notice})`}`),
    ]),
    ...changes.added.map((operation) => `+ ${named(operation)}`),
  ];
  return list(`changes: ${changes.summary}`, lines, most);
}

/** Those of one kind together, the most frequent kind first. */
function warningsText(warnings: ImportedDocument['report']['warnings'], verbose: boolean): string[] {
  if (warnings.length === 0) return [];
  const kinds = [...Map.groupBy(warnings, ({ code }) => code)].sort(([, a], [, b]) => b.length - a.length);
  return [
    '  warnings:',
    ...kinds.flatMap(([code, found]) => {
      const shown = verbose ? found : found.slice(0, MOST_OF_A_KIND);
      const more = found.length - shown.length;
      return [
        `    ${code}: ${found.length}`,
        ...shown.map(({ pointer, message }) => `      ${pointer || '/'}: ${message}`),
        ...(more > 0 ? [`      and ${more} more; --verbose has all`] : []),
      ];
    }),
  ];
}

function table(operations: readonly Operation[], most: number, verbose: boolean): string[] {
  const tools = operations.filter(({ tool }) => tool !== undefined);
  if (tools.length === 0) return [];
  const rows = tools
    .slice(0, most)
    .map(({ tool = '', method, path, risk = '', tokens, shortened, warnings }) => [
      tool,
      `${method} ${path}`,
      risk,
      String(tokens ?? ''),
      [
        warnings.length > 0 ? count(warnings.length, 'warning') : '',
        shortened === undefined ? '' : verbose ? `without ${shortened.join('; ')}` : 'shortened',
      ]
        .filter((part) => part !== '')
        .join(', '),
    ]);
  const more = tools.length - rows.length;
  return [
    '  tools:',
    columns([['tool', 'operation', 'risk', 'tokens', ''], ...rows], '    '),
    ...(more > 0 ? [`    and ${more} more; --verbose has all`] : []),
    ...(tools.some(({ shortened }) => shortened !== undefined)
      ? [
          `    ${verbose ? '' : '--verbose says what is left out of shortened tools; '}a resource of the server has each in full: hubgate://tools/NAME`,
        ]
      : []),
  ];
}

function list(heading: string, lines: readonly string[], most: number): string[] {
  if (lines.length === 0) return [];
  const more = lines.length - most;
  return [
    `  ${heading}${heading.includes(':') ? '' : ':'}`,
    ...lines.slice(0, most).map((line) => `    ${line}`),
    ...(more > 0 ? [`    and ${more} more; --verbose has all`] : []),
  ];
}
