// The "model" behind every mock: a pure function from a request to an answer.
//
// Providers translate their wire format to an Ask and back from an Answer:
//   Ask    { model, system, turns, tools, choice, parallel, schema, json, maxTokens, stop, reasoning, cache }
//     turn { role: 'user'|'assistant'|'tool', text, images: [{ mime, size }], calls: [{ id, name, args }], results: [{ id, text }] }
//     tool { name, schema }      choice 'auto' | 'none' | 'required' | { name }
//   Answer { reasoning, text, calls, finish: 'stop'|'length'|'tool_calls', usage: { input, output, reasoning, cacheWrite } }
//     `cache` says that the system prompt ends in a mark for the vendor's cache: its words are written there, a part of the input

const words = (text) => text.match(/\S+/g) ?? [];

/** A value that satisfies a JSON Schema; always the same one. */
function sample(schema, root = schema) {
  if (!schema || typeof schema !== 'object') return 'sample';
  if (schema.$ref)
    return sample(
      schema.$ref
        .replace(/^#\//, '')
        .split('/')
        .filter(Boolean)
        .reduce((at, key) => at?.[key], root),
      root,
    );
  if ('const' in schema) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf || schema.oneOf) return sample((schema.anyOf ?? schema.oneOf)[0], root);
  if (schema.allOf)
    return Object.assign(
      {},
      ...schema.allOf.map((s) => sample(s, root)),
      schema.properties ? sample({ ...schema, allOf: undefined }, root) : {},
    );
  const type = String([schema.type ?? (schema.properties ? 'object' : 'string')].flat()[0]).toLowerCase();
  if (type === 'object') return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([key, s]) => [key, sample(s, root)]));
  if (type === 'array') return Array.from({ length: schema.minItems ?? 1 }, () => sample(schema.items, root));
  if (type === 'integer' || type === 'number') return schema.minimum ?? 1;
  if (type === 'boolean') return true;
  if (type === 'null') return null;
  return (
    { 'date-time': '2026-01-01T00:00:00Z', date: '2026-01-01', email: 'a@example.com', uri: 'https://example.com' }[schema.format] ??
    'sample'
  );
}

function chosenTools({ tools = [], choice = 'auto', parallel = true }, text) {
  if (!tools.length || choice === 'none') return [];
  if (choice.name) return tools.filter((t) => t.name === choice.name);
  const named = tools.filter((t) => text.includes(t.name));
  if (choice === 'required' && !named.length) return tools.slice(0, 1);
  if (/no tools?\b/i.test(text)) return [];
  if (named.length) return parallel ? named : named.slice(0, 1);
  return tools.slice(0, 1);
}

export function answer(ask, { hugeKb } = {}) {
  const last = ask.turns.at(-1) ?? { text: '' };
  const text = last.text ?? '';
  const usage = {
    input:
      words(ask.system ?? '').length +
      ask.turns.reduce(
        (n, t) =>
          n + words(t.text ?? '').length + 10 * (t.images?.length ?? 0) + words((t.results ?? []).map((r) => r.text).join(' ')).length,
        0,
      ),
    output: 0,
    reasoning: 0,
    cacheWrite: ask.cache ? words(ask.system ?? '').length : 0,
  };
  const reasoning = ask.reasoning ? 'Let me think about it.' : '';
  usage.reasoning = words(reasoning).length;

  const calls = last.results?.length
    ? []
    : chosenTools(ask, text).map((tool, i) => {
        const given = /args=(\{.*\})/s.exec(text)?.[1];
        return { id: `call_mock_${i + 1}`, name: tool.name, args: given ? JSON.parse(given) : sample(tool.schema ?? { type: 'object' }) };
      });
  if (calls.length) {
    usage.output = usage.reasoning + calls.reduce((n, c) => n + words(JSON.stringify(c.args)).length + 1, 0);
    return { reasoning, text: '', calls, finish: 'tool_calls', usage };
  }

  const count = /\bcount to (\d+)/i.exec(text)?.[1];
  let said = hugeKb
    ? 'lorem ipsum '.repeat(Math.ceil((hugeKb * 1024) / 12))
    : last.results?.length
      ? `Tool said: ${last.results.map((r) => r.text).join('; ')}`
      : ask.schema
        ? JSON.stringify(sample(ask.schema))
        : ask.json
          ? JSON.stringify({ echo: text })
          : count
            ? Array.from({ length: Number(count) }, (_, i) => i + 1).join(' ')
            : `Echo: ${text}${(last.images ?? []).map((i) => ` [${i.mime}, ${i.size} bytes]`).join('')}`;
  let finish = 'stop';
  const stop = (ask.stop ?? [])
    .filter(Boolean)
    .map((s) => said.indexOf(s))
    .filter((at) => at >= 0);
  if (stop.length) said = said.slice(0, Math.min(...stop));
  const spoken = words(said);
  if (ask.maxTokens && !hugeKb && spoken.length > ask.maxTokens) {
    said = spoken.slice(0, ask.maxTokens).join(' ');
    finish = 'length';
  }
  usage.output = usage.reasoning + words(said).length;
  return { reasoning, text: said, calls: [], finish, usage };
}

/** Cuts a text into the pieces it is streamed in: words, or 4 KiB blocks when it is huge. */
export const pieces = (text) => (text.length > 65536 ? text.match(/[\s\S]{1,4096}/g) : text.match(/\s*\S+\s*$|\s*\S+/g)) ?? [];

/** A tool call's arguments, cut in two so that clients must join them. */
export function argumentPieces(args) {
  const json = JSON.stringify(args);
  const half = Math.ceil(json.length / 2);
  return [json.slice(0, half), json.slice(half)].filter(Boolean);
}

export function embedding(text, dimensions = 8) {
  let seed = 2166136261;
  for (const char of text) seed = Math.imul(seed ^ char.codePointAt(0), 16777619);
  return Array.from({ length: dimensions }, () => {
    seed = Math.imul(seed ^ (seed >>> 15), 2246822519) + 0x9e3779b9;
    return ((seed >>> 0) / 2 ** 32) * 2 - 1;
  });
}

/** What a vendor signs reasoning with. Only it can make it, and it is checked when it comes back; has characters that careless copying spoils. */
export const signature = (family, text) => `${Buffer.from(`${family}:${text}:\u00ff\u07ff`).toString('base64')}+/==`;

export const countWords = (text) => words(text).length;

/** The size and type of a data: URL; other URLs are never fetched. */
export function imageOf(url, mime = 'image/unknown') {
  const data = /^data:([^;,]+)?(?:;[^,]*)?,(.*)$/s.exec(url);
  return data ? { mime: data[1] ?? mime, size: Buffer.from(data[2], 'base64').length } : { mime: 'url', size: url.length };
}
