import type { ImportedDocument } from '../gateway/import-document.ts';
import { count } from './print.ts';

type Schemes = NonNullable<ImportedDocument['needs']>['schemes'];

/** Clients take between 40 (Cursor once) and 128 tools (OpenAI's API, VS Code). */
const MANY_TOOLS = 40;

/** What is left to do so that the tools of a new service work, as lines. */
export function nextSteps({ name, report, needs }: ImportedDocument): string[] {
  if (needs === undefined || name === '') return [];
  const { base } = needs;
  const steps: string[] = [];
  const entry = (text: string): string => `      services: { ${name}: { ${text} } }`;
  const of = (operations: number): string => `${operations} of ${count(report.tools.length, 'operation')}`;
  if (base !== undefined || needs.address > 0) {
    const which = needs.address > 0 && needs.address < report.tools.length ? `for ${of(needs.address)} the document names` : 'it names';
    steps.push(`    ${which} no server of its own; tell the hub where it answers, in hubgate.yaml:`);
    steps.push(entry(`baseUrl: "${base ?? 'https://…'}"`));
  }
  if (needs.credentials > 0) {
    const names = needs.schemes.map((scheme) => scheme.name).join(' and ');
    steps.push(`    a credential (${names}) is wanted by ${of(needs.credentials)}; in hubgate.yaml, for instance:`);
    steps.push(entry(`auth: { ${authFor(needs.schemes, name.toUpperCase().replaceAll('-', '_'))} }`));
  }
  if (report.tools.length > MANY_TOOLS) {
    steps.push(`    ${report.tools.length} tools are more than most clients take at once; choose some, in virtual-servers/NAME.yaml:`);
    steps.push(`      tools: [{ from: ${name}, include: ["${report.tools[0]?.name}", "…"] }]`);
    steps.push(`    or leave them to search; a model can write requests that it finds them by:`);
    steps.push(`      hubgate examples ${name} --model MODEL --write`);
  }
  return steps.length === 0 ? [] : ['  next:', ...steps];
}

/** One scheme by its kind, several by the names that the document gives them. */
function authFor(schemes: Schemes, prefix: string): string {
  const [first] = schemes;
  const secret = (what: string): string => `"\${env:${prefix}_${what}}"`;
  const basic = `{ username: "…", password: ${secret('PASSWORD')} }`;
  const client = `{ clientId: "…", clientSecret: ${secret('CLIENT_SECRET')} }`;
  const valueOf = ({ scheme }: Schemes[number]): string => {
    if (scheme.type === 'http' && scheme.scheme === 'basic') return basic;
    if (scheme.type === 'oauth2' && scheme.tokenUrl !== undefined) return client;
    return secret(scheme.type === 'apiKey' ? 'KEY' : 'TOKEN');
  };
  if (schemes.length === 1 && first !== undefined) {
    const { scheme } = first;
    const value = valueOf(first);
    if (value === basic) return `basic: ${basic}`;
    if (value === client) return `oauth2: ${client}`;
    if (scheme.type === 'oauth2' || scheme.type === 'openIdConnect' || (scheme.type === 'http' && scheme.scheme === 'bearer'))
      return `bearer: ${value}`;
    if (scheme.type === 'apiKey' && scheme.in !== 'cookie') return `${scheme.in}: { ${keyText(scheme.name)}: ${value} }`;
  }
  return `schemes: { ${schemes.map((use) => `${keyText(use.name)}: ${valueOf(use)}`).join(', ')} }`;
}

function keyText(key: string): string {
  return /^[A-Za-z_][\w-]*$/.test(key) ? key : JSON.stringify(key);
}
