import { existsSync } from 'node:fs';
import { checkConfig } from '../gateway/check-config.ts';
import { problemLine } from './failure.ts';
import { count, print, printJson } from './print.ts';
import type { Settings } from './settings.ts';

/** `hubgate check`: everything that is wrong, each with its place. Returns 1 when there is an error. */
export async function check(
  { json, optional }: { readonly json?: boolean; readonly optional: boolean },
  settings: Settings,
): Promise<number> {
  const { ok, problems } = await checkConfig({ ...settings, host: '127.0.0.1', adminHost: '127.0.0.1', optionalConfig: optional });
  if (json === true) printJson({ ok, problems });
  else {
    for (const problem of problems) print(problemLine(problem));
    const errors = problems.filter(({ severity }) => severity !== 'warning').length;
    const warnings = problems.length - errors;
    const found = [errors > 0 ? count(errors, 'error') : '', warnings > 0 ? count(warnings, 'warning') : ''].filter((part) => part !== '');
    if (optional && !existsSync(settings.configFile))
      print('There is no hubgate.yaml here: what lies beside it was checked, and the hub would not start.');
    print(`${settings.configFile}: ${found.length === 0 ? 'all is well' : found.join(', ')}`);
  }
  return ok ? 0 : 1;
}
