import { DocumentError } from '../types.ts';
import type { Node } from './tree.ts';
import { isNode } from './tree.ts';

const JSON_OR_YAML = 'Give the address or the file of the JSON or YAML itself.';

/** Descriptions in formats of their own, by how their text begins. */
const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/^#%RAML/, 'This is RAML, not an OpenAPI document. Convert it to OpenAPI first.'],
  [/^FORMAT:\s*1A/i, 'This is API Blueprint, not an OpenAPI document. Convert it to OpenAPI first.'],
  [
    /^(?:\/\/[^\n]*\n\s*)*syntax\s*=\s*["']proto/,
    'This is a Protocol Buffers file, not an OpenAPI document. Generate OpenAPI from it first.',
  ],
  [/^PK\p{Cc}/u, 'This is a zip archive. Give its file a name that ends in .zip.'],
  [/^%PDF-/, 'This is a PDF, not an OpenAPI document.'],
  [/^(?:```|~~~)/, 'This is Markdown around a document. Give what stands between the fences alone.'],
  [/^(?:\)\]\}'|for ?\(;;\)|module\.exports\s*=|export default\s|(?:var|let|const)\s+[\w$]+\s*=|[\w.$]+(?:\s*=|\()\s*[{[])/, 'This is JavaScript around a document. Give the JSON in it alone.'], // prettier-ignore
  [/^(?:\/\*|(?:\/\/[^\n]*\n\s*)+[{[])/, 'The document begins with a comment, which JSON does not have. Take it out.'],
];

const MARKUP: readonly (readonly [RegExp, string])[] = [
  [/<(?:\w+:)?definitions\b|schemas\.xmlsoap\.org\/wsdl|www\.w3\.org\/ns\/wsdl/, 'This is WSDL (SOAP), not an OpenAPI document. Convert it to OpenAPI first.'], // prettier-ignore
  [/<application\b[^>]*wadl|wadl\.dev\.java\.net/, 'This is WADL, not an OpenAPI document. Convert it to OpenAPI first.'],
  [/<(?:\w+:)?Edmx\b/i, 'This is OData metadata (CSDL), not an OpenAPI document. Convert it to OpenAPI first.'],
  [/<!doctype html|<html|<head|<body/i, `This is an HTML page, not an OpenAPI document. ${JSON_OR_YAML}`],
];

/** Throws DocumentError for text that is plainly another format; `start` is its beginning without white space. */
export function refuseForeignText(start: string): void {
  const known = TEXTS.find(([pattern]) => pattern.test(start));
  if (known !== undefined) throw new DocumentError('not_openapi', known[1], { line: 1 });
  if (!start.startsWith('<')) return;
  const message = MARKUP.find(([pattern]) => pattern.test(start))?.[1];
  throw new DocumentError('not_openapi', message ?? `This is XML or HTML, not an OpenAPI document. ${JSON_OR_YAML}`, { line: 1 });
}

/** Descriptions in JSON or YAML that are of another format, by a key at the root. */
const ROOTS: readonly (readonly [(root: Node) => boolean, string, string])[] = [
  [(root) => root['asyncapi'] !== undefined, '/asyncapi', 'This is an AsyncAPI document, not an OpenAPI one: it describes messages, not HTTP operations.'], // prettier-ignore
  [isPostman, '/info', 'This is a Postman collection, not an OpenAPI document. Export it as OpenAPI.'],
  [(root) => root['arazzo'] !== undefined, '/arazzo', 'This is an Arazzo document. Import the OpenAPI documents that its sourceDescriptions name.'], // prettier-ignore
  [(root) => root['overlay'] !== undefined && root['actions'] !== undefined, '/overlay', 'This is an OpenAPI Overlay, not an OpenAPI document. Give the document that it changes.'], // prettier-ignore
  [(root) => root['__export_format'] !== undefined, '/__export_format', 'This is an Insomnia export, not an OpenAPI document. Export it as OpenAPI.'], // prettier-ignore
  [(root) => isNode(root['log']) && root['log']['entries'] !== undefined, '/log', 'This is a HAR recording, not an OpenAPI document.'],
  [(root) => String(root['kind']).startsWith('discovery#'), '/kind', 'This is a Google Discovery document, not an OpenAPI one. Convert it to OpenAPI first.'], // prettier-ignore
  [(root) => isNode(root['data']) && root['data']['__schema'] !== undefined, '/data', 'This is a GraphQL schema, not an OpenAPI document.'],
  [(root) => root['smithy'] !== undefined, '/smithy', 'This is a Smithy model, not an OpenAPI document. Generate OpenAPI from it first.'],
  [isList, '/urls', 'This is a list of OpenAPI documents, not one of them. Give the address of one that it names under "url".'],
  [(root) => root['$schema'] !== undefined && root['paths'] === undefined, '/$schema', 'This is a JSON Schema, not an OpenAPI document.'],
];

/** The configuration of Swagger UI. */
function isList({ urls }: Node): boolean {
  return Array.isArray(urls) && urls.every((one) => isNode(one) && typeof one['url'] === 'string');
}

function isPostman(root: Node): boolean {
  const { info } = root;
  return isNode(info) && (info['_postman_id'] !== undefined || /postman/i.test(String(info['schema'])));
}

/** The version by which the document is read. Throws DocumentError with what to do for what is no OpenAPI, or of a version that is not read. */
export function dialectOf(root: Node): string {
  const { swagger, openapi } = root;
  if (swagger !== undefined) {
    if (/^\s*2(\.0)?(\.0)?\s*$/.test(String(swagger))) return '2.0';
    if (/^3\.\d/.test(String(swagger))) throw refused('unsupported_version', `Version ${String(swagger).slice(0, 20)} stands under "swagger"; from 3.0 on the key is "openapi".`, '/swagger'); // prettier-ignore
    throw refused('unsupported_version', `Swagger ${String(swagger).slice(0, 20)} is not read; 2.0 is. Convert it to OpenAPI 3 first.`, '/swagger'); // prettier-ignore
  }
  if (typeof openapi === 'string' || typeof openapi === 'number') {
    const version = String(openapi).trim();
    if (/^3(\.\d{1,9}){0,2}(-[\w.]{1,40})?$/.test(version)) return version === '3' ? '3.0.3' : version;
    throw refused('unsupported_version', `OpenAPI ${version.slice(0, 20)} is not read; 3.0, 3.1 and 3.2 are, and Swagger 2.0.`, '/openapi');
  }
  if (root['swaggerVersion'] !== undefined) {
    const version = String(root['swaggerVersion']).slice(0, 20);
    throw refused('unsupported_version', `Swagger ${version} is not read; 2.0 is. Convert it to OpenAPI 3 first.`, '/swaggerVersion');
  }
  const foreign = ROOTS.find(([matches]) => matches(root));
  if (foreign !== undefined) throw refused('not_openapi', foreign[2], foreign[1]);
  throw refused('not_openapi', 'This is not an OpenAPI document: it has neither an "openapi" nor a "swagger" key at its root.', '');
}

function refused(code: string, message: string, pointer: string): DocumentError {
  return new DocumentError(code, message, { pointer });
}
