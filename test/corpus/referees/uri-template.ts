import type { Declared } from '../operation.ts';
import { type Pair, type Reading, readAddress, readPairs } from '../reading.ts';
import { isPart } from '../resolver.ts';
import { peer } from './peer.ts';
import { type Referee, valueOf } from './referee.ts';

interface UrlTemplate {
  parseTemplate(template: string): { expand(context: object): string };
}

const OPERATORS: Readonly<Record<string, string>> = { simple: '', form: '', label: '.', matrix: ';' };

/**
 * RFC 6570, which OpenAPI refers to for these styles ("Path-style parameters defined by RFC6570", and so on; Appendix C of 3.1.1): url-template.
 * It judges parameters only.
 */
export function uriTemplates(): Referee {
  const { parseTemplate } = peer('url-template') as UrlTemplate;
  const expand = (operator: string, parameter: Declared, value: unknown): string => {
    const { name, explode } = parameter;
    return parseTemplate(`{${operator}${name}${explode ? '*' : ''}}`).expand({ [name]: value });
  };
  return {
    name: 'RFC 6570',
    judges: (parameter, value) => parameter !== undefined && isExpressible(parameter, value),
    async request(one) {
      const { operation } = one;
      const query: Pair[] = [];
      const cookies: Pair[] = [];
      const headers = new Map<string, string>();
      let path = operation.template.replace(/#.*$/s, '');
      for (const parameter of operation.parameters) {
        const value = valueOf(one, parameter);
        if (value === undefined || !isExpressible(parameter, value)) continue;
        const { place, name, style } = parameter;
        if (place === 'path') path = path.replaceAll(`{${name}}`, () => expand(OPERATORS[style] ?? '', parameter, value));
        else if (place === 'query') query.push(...readPairs(expand('?', parameter, value).slice(1), '&'));
        else if (place === 'cookie') cookies.push(...readPairs(expand('?', parameter, value).slice(1), '&'));
        // Header values are not percent-encoded: 3.1.1, Appendix D.
        else headers.set(name.toLowerCase(), decodeURIComponent(expand('', parameter, value)));
      }
      const address = readAddress(path);
      return Promise.resolve({
        method: operation.method,
        ...address,
        query: [...address.query, ...query],
        headers,
        cookies,
      } satisfies Reading);
    },
  };
}

function isExpressible({ name, place, style, reserved, content }: Declared, value: unknown): boolean {
  if (content !== undefined || reserved || !Object.hasOwn(OPERATORS, style) || place === 'querystring') return false;
  if (/[,:*{}]/.test(name) || (style === 'form') !== (place === 'query' || place === 'cookie')) return false;
  if (typeof value !== 'object' || value === null) return true;
  const members = Object.values(value);
  return (
    members.length > 0 &&
    members.every((one) => typeof one !== 'object' && one !== '') &&
    !(isPart(value) && Object.keys(value).some((key) => /[,:*{}]/.test(key)))
  );
}
