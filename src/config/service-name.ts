import { serviceName } from './reading/documents.ts';

/** The name of a service whose document says only its title: by the rule for files, with one `-` between words. Empty when no letter is in it. */
export function nameFromTitle(title: string): string {
  return serviceName(title.replace(/[^A-Za-z0-9]+/g, '-')).replace(/-+$/, '');
}
