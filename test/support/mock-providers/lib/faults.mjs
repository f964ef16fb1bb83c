// Faults, asked for in the model name, in a header, or set through the control endpoint:
//   model "gpt-mock:fault=429,retry=2"   or "gpt-mock--fault-429"   header x-mock-fault: 429,retry=2
// The first item is the fault, the rest are options. `times=2` limits it to the first two requests.

const KINDS = new Set([
  'hang-headers',
  'hang-midstream',
  'cut-midstream',
  'error-midstream',
  'malformed-sse',
  'slow-first-token',
  'slow',
  'huge',
  'empty',
  'bad-json',
  'no-usage',
  'cut-headers',
  'split',
  'too-long',
  'no-credit',
  'refused',
]);

function parseFault(spec) {
  if (!spec) return undefined;
  const [kind, ...rest] = spec.split(',').map((s) => s.trim());
  const status = /^[45]\d\d$/.test(kind) ? Number(kind) : undefined;
  if (!status && !KINDS.has(kind)) throw new Error(`unknown fault "${kind}"`);
  return {
    kind: status ? 'status' : kind,
    status,
    spec,
    ...Object.fromEntries(rest.map((o) => o.split('=')).map(([k, v = '1']) => [k, Number(v)])),
  };
}

/** "gpt-mock:fault=429,retry=2" -> { model: "gpt-mock", spec: "429,retry=2" } */
export function splitModel(name = '') {
  const match = /^(.*?)(?::fault=|--fault-)(.+)$/.exec(name);
  return match ? { model: match[1], spec: match[2].replaceAll('~', ',') } : { model: name };
}

/** Keeps what the control endpoint set and how often each fault was used. */
export class Faults {
  #set;
  #used = new Map();

  set(spec) {
    this.#set = parseFault(spec);
    this.#used.clear();
  }

  /** The fault for this request, or undefined. Counts it as used. */
  next(model, header) {
    const { spec } = splitModel(model);
    const fault = parseFault(header) ?? parseFault(spec) ?? this.#set;
    if (!fault) return undefined;
    const key = fault === this.#set ? 'set' : `${model} ${header ?? ''}`;
    const used = this.#used.get(key) ?? 0;
    this.#used.set(key, used + 1);
    return fault.times !== undefined && used >= fault.times ? undefined : fault;
  }
}
