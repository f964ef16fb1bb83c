import { Digits } from './draw.ts';
import type { Declared } from './operation.ts';
import type { Excused } from './reading.ts';
import { type Case, type Referee, valueOf } from './referees/referee.ts';
import { isPart, type Part } from './resolver.ts';

/** A kind of request that a referee writes otherwise, and the sentence by which it is wrong or has a free choice. */
export interface Dispute {
  readonly id: string;
  /** Names of referees. */
  readonly referees: readonly string[];
  readonly sentence: string;
  /** Also asked about parameters without a value. */
  readonly unset?: true;
  readonly parameter?: (parameter: Declared, value: unknown, one: Case) => boolean;
  /** All of the body. */
  readonly body?: (one: Case) => boolean;
  /** A field of a form. */
  readonly field?: (name: string, value: unknown, one: Case) => boolean;
}

const SC = 'swagger-client';
const HAR = 'oas-to-har';
const RFC = 'RFC 6570';

export const DISPUTES: readonly Dispute[] = [
  {
    id: 'empty text in a query is sent',
    referees: [SC],
    sentence:
      'RFC 6570, 3.2.8: "If the variable has a simple string value, append "=" followed by its value." OpenAPI 3.0.3: "empty string: color="',
    parameter: ({ place }, value) => place === 'query' && value === '',
  },
  {
    id: 'a text as JSON has quotes',
    referees: [SC],
    sentence: 'RFC 8259, 7: "A string begins and ends with quotation marks."',
    body: ({ call }) => isJson(call.mediaType) && typeof call.body === 'string',
  },
  {
    id: 'false, 0, null and "" are bodies',
    referees: [SC],
    sentence:
      'RFC 8259, 2: "A JSON text is a serialized value"; a value must be "an object, array, number, or string, or one of the following three literal names: false null true".',
    body: ({ call }) => call.mediaType !== undefined && !call.body,
  },
  {
    id: 'numbers, booleans and null as JSON',
    referees: [SC],
    sentence:
      'RFC 8259, 2, as above; fetch takes a number for its text, which is the same JSON, but swagger-client gives null for nothing.',
    body: ({ call }) => call.mediaType !== undefined && call.body === null,
  },
  {
    id: 'a list in a form repeats its name',
    referees: [SC, HAR],
    sentence:
      'OpenAPI 3.0.3, Encoding Object, style: "The behavior follows the same values as query parameters, including default values." 3.1.1, multipart: "Array properties are handled by applying the same name to multiple parts".',
    field: (name, value, one) => Array.isArray(value) && (!isStyled(encodingOf(one, name)) || isMultiform2(one)),
  },
  {
    id: 'members of deepObject are not defined below the first',
    referees: [SC, HAR],
    sentence: 'OpenAPI 3.1.1, Style Values, deepObject: "The representation of array or object properties is not defined."',
    parameter: ({ style }, value) => style === 'deepObject' && (Array.isArray(value) || isNested(value)),
    field: (name, value, one) => encodingOf(one, name)['style'] === 'deepObject' && (Array.isArray(value) || isNested(value)),
  },
  {
    id: 'an object or list inside a list or object is not defined',
    referees: [SC, HAR, RFC],
    sentence:
      'RFC 6570, 2.3: "a variable value that is a list or associative array" of strings; OpenAPI 3.1.1, Appendix B: "the serialization of values that are neither is implementation-defined". Here: JSON text, and lists in exploded objects repeat the name.',
    parameter: ({ content, style }, value) => content === undefined && style !== 'deepObject' && isNested(value),
    field: (name, value, one) => isStyled(encodingOf(one, name)) && encodingOf(one, name)['style'] !== 'deepObject' && isNested(value),
  },
  {
    id: 'spaceDelimited and pipeDelimited objects',
    referees: [SC],
    sentence:
      'OpenAPI 3.0.4 and 3.1.1, Style Examples: spaceDelimited "R%20100%20G%20200%20B%20150", pipeDelimited "R%7C100%7CG%7C200%7CB%7C150".',
    parameter: ({ style }, value) => /^(space|pipe)Delimited$/.test(style) && isPart(value),
  },
  {
    id: 'spaceDelimited and pipeDelimited with explode',
    referees: [SC, HAR],
    sentence:
      'OpenAPI 3.1.1, Style Examples: explode true is "n/a" for these styles; 3.0.3: "generate separate parameters for each value of the array".',
    parameter: ({ style, explode }) => /^(space|pipe)Delimited$/.test(style) && explode,
  },
  {
    id: 'cookies share one header, each pair written as form',
    referees: [SC],
    sentence:
      'RFC 6265, 4.2.1: "cookie-string = cookie-pair *( ";" SP cookie-pair )"; OpenAPI 3.0.3, Style Values: form is "Form style parameters defined by RFC6570".',
    parameter: ({ place }, value, { operation, call }) =>
      place === 'cookie' &&
      (typeof value === 'object' ||
        !/^[\w.~-]*$/.test(String(value)) ||
        operation.parameters.filter((one) => one.place === place && call.parameters.has(`cookie:${one.name}`)).length > 1),
  },
  {
    id: 'the query comes before a fragment',
    referees: [SC],
    sentence: 'RFC 3986, 3: "URI = scheme ":" hier-part [ "?" query ] [ "#" fragment ]".',
    parameter: ({ place }, _, { operation }) => place === 'query' && operation.path.includes('#'),
  },
  {
    id: 'a fixed query in the path key stays',
    referees: [SC, RFC],
    sentence:
      'RFC 3986, 2.4: data is percent-encoded once; swagger-client decodes the query of the key, and drops what has the name of a parameter.',
    parameter: ({ place, name }, _, { operation }) => place === 'query' && (operation.path.split('?')[1] ?? '').includes(name),
  },
  {
    id: 'names of Object.prototype are names',
    referees: [SC, HAR],
    sentence: 'OpenAPI 3.0.3, Parameter Object: any name; nothing is sent for a parameter without a value.',
    unset: true,
    parameter: ({ name }) => name in {},
  },
  {
    id: 'Swagger 2.0: reserved characters in values are data',
    referees: [SC],
    sentence:
      'RFC 3986, 2.2: "If data for a URI component would conflict with a reserved character\'s purpose as a delimiter, then the conflicting data must be percent-encoded before the URI is formed."',
    parameter: ({ place }, value, { operation }) =>
      operation.version.startsWith('2') && /path|query/.test(place) && /[!'()*[\]%]/.test(leaves(value).join('')),
  },
  {
    id: 'an empty list is not sent',
    referees: [SC, HAR, RFC],
    sentence: 'RFC 6570, 2.3: "A variable defined as a list value is considered undefined if the list contains zero members."',
    parameter: (_, value) => typeof value === 'object' && value !== null && Object.keys(value).length === 0,
    field: (_, value) => Array.isArray(value) && value.length === 0,
  },
  {
    id: 'a path key with query or fragment has places too',
    referees: [SC],
    sentence:
      'OpenAPI 3.0.3, Path Templating: "Each template expression in the path MUST correspond to a path parameter"; swagger-client finds none in a key with "?" or "#".',
    parameter: ({ place }, _, { operation }) => place === 'path' && /[?#]/.test(operation.path),
  },
  {
    id: 'a form without fields is a body',
    referees: [SC, HAR],
    sentence: 'OpenAPI 3.0.3, Request Body Object: a body that is given is sent; RFC 1866 and RFC 7578 allow forms without fields.',
    body: ({ call }) => /form/.test(call.mediaType ?? '') && isPart(call.body) && textsOf(call.body) === '',
  },
  {
    id: 'numbers are written without exponent',
    referees: [SC, HAR, RFC],
    sentence: 'OpenAPI 3.1.1, Appendix B: "Implementations of these conversions vary"; digits are understood everywhere.',
    parameter: (_, value) => leaves(value).some((text) => /^-?\d+(\.\d+)?e[+-]?\d+$/.test(text)),
  },
  {
    id: 'content parameters in paths and cookies',
    referees: [HAR],
    sentence:
      'OpenAPI 3.0.3, Parameter Object, content: "A map containing the representations for the parameter", wherever the parameter is.',
    parameter: ({ place, content }) => content !== undefined && place !== 'query' && place !== 'header',
  },
  {
    id: 'a place in a path has any name',
    referees: [HAR],
    sentence:
      'OpenAPI 3.0.3, Path Templating: "usage of template expressions, delimited by curly braces ({})"; oas-to-har knows letters, digits, "-", "_" and brackets.',
    parameter: ({ place, name }) => place === 'path' && !/^[-\w[\]]+$/.test(name),
  },
  {
    id: 'multipart before 3.0.4 has no styles',
    referees: [SC, HAR],
    sentence:
      'OpenAPI 3.0.3, Encoding Object, style, explode, allowReserved: "This property SHALL be ignored if the request body media type is not application/x-www-form-urlencoded."',
    field: (name, _, one) =>
      /multipart/.test(one.call.mediaType ?? '') && /^3\.0\.[0-3]$/.test(one.operation.version) && isStyled(encodingOf(one, name)),
  },
  {
    id: 'a part of multipart is not percent-encoded',
    referees: [SC, HAR],
    sentence: 'OpenAPI 3.1.1, Appendix E: percent-encoding is for "application/x-www-form-urlencoded"; RFC 7578, 2: "not subject to" it.',
    field: (name, value, one) =>
      /multipart/.test(one.call.mediaType ?? '') &&
      isStyled(encodingOf(one, name)) &&
      (String(encodingOf(one, name)['style']).endsWith('Delimited') || !/^[\w.~-]*$/.test(leaves(value).join(''))),
  },
  {
    id: 'allowReserved leaves delimiters of the query encoded',
    referees: [SC, HAR],
    sentence:
      'OpenAPI 3.1.1, allowReserved: "Applications are still responsible for percent-encoding reserved characters that are not allowed in the query string ([, ], #), or have a special meaning in application/x-www-form-urlencoded (-, &, +)".',
    parameter: ({ reserved, place }, value, one) =>
      place === 'query' &&
      ((reserved && /[#&+[\]%]/.test(leaves(value).join(''))) ||
        one.operation.parameters.some((other) => other.reserved && /[#&]/.test(leaves(valueOf(one, other)).join('')))),
  },
  {
    id: 'false and 0 are items',
    referees: [HAR],
    sentence: 'RFC 6570, 2.3: only "undefined" members are left out.',
    parameter: ({ place }, value) =>
      place === 'path' && Array.isArray(value) && value.some((one) => one === 0 || one === false || one === ''),
  },
  {
    id: 'exploded members with the name of another parameter',
    referees: [SC, HAR],
    sentence:
      'OpenAPI 3.0.3, Parameter Object, explode: members become parameters of their own; two of one name cannot be told apart in a cookie.',
    parameter: ({ place, explode }, value, { call }) =>
      place === 'cookie' &&
      explode &&
      isPart(value) &&
      [...call.parameters].filter(
        ([key, one]) => key.startsWith('cookie:') && isPart(one) && Object.keys(one).some((name) => name in value),
      ).length > 1,
  },
  {
    id: 'deepObject of something else than an object, or without explode',
    referees: [HAR],
    sentence: 'OpenAPI 3.1.1, Style Examples: "n/a" for these; a text under its own name is what every server reads.',
    parameter: ({ style, explode }, value) => style === 'deepObject' && (typeof value !== 'object' || !explode),
    field: (name, value, one) => encodingOf(one, name)['style'] === 'deepObject' && typeof value !== 'object',
  },
  {
    id: 'a property called RAW_BODY is a property',
    referees: [HAR],
    sentence: 'OpenAPI 3.0.3, Schema Object: property names are free.',
    body: ({ call }) => isPart(call.body) && 'RAW_BODY' in call.body,
  },
  {
    id: 'Swagger 2.0: a body parameter that is a form (invalid document)',
    referees: [SC, HAR],
    sentence:
      'Swagger 2.0, Parameter Object: "Form - Used to describe the payload of an HTTP request when either application/x-www-form-urlencoded, multipart/form-data or both are used as the content type of the request".',
    body: ({ operation, call }) => operation.body?.name !== undefined && operation.body.name !== '' && /form/.test(call.mediaType ?? ''),
  },
  {
    id: 'Swagger 2.0: commas of a list in a path',
    referees: [SC],
    sentence: 'Swagger 2.0, collectionFormat: "csv - comma separated values foo,bar." RFC 3986, 3.3 allows "," in a segment.',
    parameter: ({ place }, value, { operation }) => operation.version.startsWith('2') && place === 'path' && Array.isArray(value),
  },
  {
    id: 'tabs between values',
    referees: [HAR],
    sentence: 'Swagger 2.0, collectionFormat: "tsv - tab separated values foo\\tbar." OpenAPI 3.x has no such style.',
    parameter: ({ style }) => style === 'tabDelimited',
  },
  {
    id: '3.2: querystring',
    referees: [SC, HAR, RFC],
    sentence:
      'OpenAPI 3.2.0, Parameter Locations: "querystring - A parameter that treats the entire URL query string as a value which MUST be specified using the content field".',
    parameter: ({ place }) => place === 'querystring',
  },
  {
    id: '3.2: style cookie',
    referees: [SC, HAR, RFC],
    sentence:
      'OpenAPI 3.2.0, Style Values, cookie: "Analogous to form, but following RFC6265 Cookie syntax rules [...] and no percent-encoding or other escaping is applied".',
    parameter: ({ style }) => style === 'cookie',
  },
  {
    id: 'label without explode, older versions',
    referees: [RFC],
    sentence: 'OpenAPI 3.0.0 to 3.0.3 and 3.1.0, Style Examples: ".blue.black.brown".',
    parameter: ({ style, explode }, value, { operation }) =>
      style === 'label' && !explode && typeof value === 'object' && hasDots(operation.version),
  },
  {
    id: 'label without explode, newer versions',
    referees: [SC, HAR],
    sentence: 'OpenAPI 3.0.4 and 3.1.1, Style Examples: ".blue,black,brown".',
    parameter: ({ style, explode }, value, { operation }) =>
      style === 'label' && !explode && typeof value === 'object' && !hasDots(operation.version),
  },
  {
    id: 'header values are not percent-encoded',
    referees: [HAR],
    sentence:
      'RFC 9110, 5.5: field values are "VCHAR / obs-text" and blanks; 3.1.1, Appendix D leaves escaping to the author of the value.',
    parameter: ({ place }, value) =>
      place === 'header' && !/^[\w.~-]*$/.test(Object.entries(value as object).length === 0 ? String(value) : leaves(value).join('')),
  },
  {
    id: 'a percent sign is data',
    referees: [HAR],
    sentence:
      'RFC 3986, 2.4: "Because the percent ("%") character serves as the indicator for percent-encoded octets, it must be percent-encoded as "%25" for that octet to be used as data within a URI."',
    parameter: ({ place }, value) => place === 'query' && leaves(value).some((text) => /%[0-9A-Fa-f]{2}/.test(text)),
  },
  {
    id: 'JSON text is text',
    referees: [HAR],
    sentence: 'RFC 8259, 7; oas-to-har turns texts that are JSON into what they say, and drops empty objects from lists.',
    body: ({ call }) => isJson(call.mediaType) && (textsIn(call.body).some(isJsonText) || /\[[^\]]*\{\}/.test(JSON.stringify(call.body))),
  },
  {
    id: 'an integer beyond 2^53 is a number',
    referees: [HAR],
    sentence:
      'RFC 8259, 6: "This specification allows implementations to set limits on the range and precision of numbers accepted"; oas-to-har takes numbers of JavaScript only.',
    body: ({ call }) => hasDigits(call.body),
  },
  {
    id: 'encoding of urlencoded fields',
    referees: [HAR],
    sentence:
      'OpenAPI 3.0.3, Encoding Object: style, explode and allowReserved apply to application/x-www-form-urlencoded; oas-to-har reads none of them and leaves empty objects out.',
    field: (name, value, one) =>
      /urlencoded/.test(one.call.mediaType ?? '') &&
      (isStyled(encodingOf(one, name)) || (isPart(value) && JSON.stringify(value).includes('{}'))),
  },
  {
    id: 'an object in multipart is JSON',
    referees: [HAR],
    sentence:
      'OpenAPI 3.0.3, Special Considerations for multipart Content: "If the property is complex, or an array of complex values, the default Content-Type is application/json".',
    body: ({ call }) =>
      /multipart/.test(call.mediaType ?? '') &&
      isPart(call.body) &&
      Object.values(call.body).some((value) => isPart(value) || isNested(value)),
  },
  {
    id: 'a text in a form is what it is',
    referees: [SC],
    sentence:
      'OpenAPI 3.1.1, Encoding Object: the default contentType of a string is text/plain; swagger-client parses texts that are JSON.',
    field: (_, value) => typeof value === 'string' && isJsonText(value),
  },
];

export interface Found {
  readonly disputes: readonly string[];
  readonly excused: Excused;
  /** `place:name` of parameters, `body`, `field:name`. */
  readonly silent: ReadonlySet<string>;
}

/** What of a call a referee is not asked about. */
export function excusedBy(referee: Referee, one: Case): Found {
  const disputes = new Set<string>();
  const rules = DISPUTES.filter(({ referees }) => referees.includes(referee.name));
  const excusedParameters = one.operation.parameters.filter((parameter) => {
    const value = valueOf(one, parameter);
    const applying = rules.filter(
      (rule) => (value !== undefined || rule.unset === true) && rule.parameter?.(parameter, value, one) === true,
    );
    for (const { id } of applying) disputes.add(`${id} (${referee.name})`);
    return applying.length > 0 || (value !== undefined && !referee.judges(parameter, value, one));
  });
  const bodyRules = rules.filter((rule) => rule.body?.(one) === true);
  for (const { id } of bodyRules) disputes.add(`${id} (${referee.name})`);
  const { body } = one.call;
  const fields = new Set<string>();
  const excusedFields: string[] = [];
  for (const [name, value] of isPart(body) && /form/.test(one.call.mediaType ?? '') ? Object.entries(body) : []) {
    const applying = rules.filter((rule) => rule.field?.(name, value, one) === true);
    for (const { id } of applying) disputes.add(`${id} (${referee.name})`);
    if (applying.length === 0) continue;
    excusedFields.push(name);
    for (const key of fieldKeys(name, value)) fields.add(key);
  }
  const names = new Set(excusedParameters.flatMap((parameter) => keysOf(parameter, valueOf(one, parameter))));
  const isExcused = (name: string): boolean => names.has(name) || names.has(`${name.split('[')[0] ?? ''}[`);
  const silent = new Set([
    ...excusedParameters.filter((parameter) => valueOf(one, parameter) !== undefined).map(({ place, name }) => `${place}:${name}`),
    ...(body !== undefined && (bodyRules.length > 0 || !referee.judges(undefined, body, one)) ? ['body'] : []),
    ...excusedFields.map((name) => `field:${name}`),
  ]);
  return {
    disputes: [...disputes],
    silent,
    excused: {
      path: excusedParameters.some(({ place }) => place === 'path'),
      query: (name) => excusedParameters.some(({ place }) => place === 'querystring') || isExcused(name),
      cookie: isExcused,
      header: (name) => excusedParameters.some((parameter) => parameter.place === 'header' && parameter.name.toLowerCase() === name),
      body: bodyRules.length > 0 || !referee.judges(undefined, body, one),
      field: (name) => fields.has(name) || fields.has(`${name.split('[')[0] ?? ''}[`),
    },
  };
}

/** Names under which a parameter shows up; `name[` stands for all that begin so. */
function keysOf({ place, name }: Declared, value: unknown): string[] {
  if (place === 'path' || place === 'header') return [];
  return fieldKeys(name, value);
}

function fieldKeys(name: string, value: unknown): string[] {
  return [name, `${name}[`, ...(isPart(value) ? Object.keys(value as Part) : [])];
}

function isJson(mediaType: string | undefined): boolean {
  return /json|\*\/\*/.test(mediaType ?? '');
}

function encodingOf({ operation, call }: Case, name: string): Part {
  const entry = operation.body?.content[call.mediaType ?? '']?.encoding[name];
  return isPart(entry) ? entry : {};
}

function isStyled({ style, explode, allowReserved }: Part): boolean {
  return style !== undefined || explode !== undefined || allowReserved !== undefined;
}

/** Lists of 2.0's form fields, which oas-to-har gets as encoding. */
function isMultiform2({ operation }: Case): boolean {
  return operation.version.startsWith('2');
}

/** A list or object with a list or object in it. */
function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).some((one) => typeof one === 'object' && one !== null);
}

/** All texts in a value, those of numbers and names included. */
function leaves(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [String(value)];
  return Object.entries(value).flatMap(([key, one]) => [...(Array.isArray(value) ? [] : [key]), ...leaves(one)]);
}

function isJsonText(text: string): boolean {
  try {
    JSON.parse(text);
    return /^\s*[[{"]|^(true|false|null|-?\d.*)$/.test(text);
  } catch {
    return false;
  }
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

function hasDots(version: string): boolean {
  return /^3\.(0\.[0-3]|1\.0)$/.test(version);
}

/** Empty for an object of which nothing is sent. */
function textsOf(value: Part): string {
  return Object.values(value)
    .map((one) => (typeof one === 'object' && one !== null && Object.keys(one).length === 0 ? '' : 'x'))
    .join('');
}

function hasDigits(value: unknown): boolean {
  if (value instanceof Digits) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasDigits);
}
