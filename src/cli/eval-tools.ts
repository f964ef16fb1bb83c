import { missedTools, retrievalFigures, type RetrievalFigures } from '../gateway/evaluation/retrieval.ts';
import { TOPS, type ToolsEvaluated } from '../gateway/evaluation/evaluate-tools.ts';
import { openAdmin } from './admin-access.ts';
import { askInBatches } from './eval-batches.ts';
import { LONGEST_EXAMPLE, readExamples } from './eval-file.ts';
import { floorText, judgeFloors, readFloors } from './eval-floors.ts';
import { degradedText, headline, LONGEST_LIST, many, mostly, percent, quoted, unknownText } from './eval-text.ts';
import { columns, note, print, printJson } from './print.ts';
import type { Settings } from './settings.ts';
import { checkCaller } from './tools.ts';

export interface EvalToolsOptions {
  readonly server?: string;
  readonly as?: string;
  readonly top?: readonly number[];
  readonly model?: string;
  readonly floor?: readonly string[];
  readonly all?: boolean;
  readonly json?: boolean;
}

interface Example {
  readonly query: string;
  readonly tools: readonly string[];
}

/** What came instead is shown so far down. */
const INSTEAD = 3;
/** A tool that comes later is missed, where so many are offered or more. */
const MISSED_FROM = 5;

/** `hubgate eval tools`: how well the tools of a server are found. Returns 1 when a floor is not reached. */
export async function evalTools(file: string, options: EvalToolsOptions, settings: Settings): Promise<number> {
  const { server, as, top = TOPS, model, json } = options;
  const tops = [...new Set(top)].toSorted((a, b) => a - b);
  const floors = readFloors(options.floor ?? [], [...figuresOf(retrievalFigures([], tops), tops).keys()]);
  const examples = await readExamples(file, readExample);
  const access = await openAdmin(settings);
  try {
    await checkCaller(access, as);
    const answers = await askInBatches<Example, ToolsEvaluated>(access, '/eval/tools', examples, (queries) => ({
      server,
      consumer: as,
      model,
      top: tops,
      queries,
    }));
    const whole = joined(answers, tops);
    const judged = judgeFloors(floors, figuresOf(whole.figures, tops));
    if (json === true) printJson({ ...whole, floors: judged });
    else show(whole, tops, options);
    if (json !== true) for (const floor of judged) (floor.ok ? print : note)(floorText(floor));
    return judged.every(({ ok }) => ok) ? 0 : 1;
  } finally {
    await access.close();
  }
}

/** Keys are those of the public sets too: `q` and `gold`. */
function readExample(entry: Readonly<Record<string, unknown>>): Example | string {
  const { query = entry['q'], tools = entry['gold'] } = entry;
  if (typeof query !== 'string' || query.trim() === '') return 'The entry needs a query: what somebody wants to do, as a text.';
  if (query.length > LONGEST_EXAMPLE) return `The query is longer than ${LONGEST_EXAMPLE} characters.`;
  if (!Array.isArray(tools) || tools.length === 0 || !tools.every((name) => typeof name === 'string' && name !== ''))
    return 'The entry needs tools: a list of the names that should be found, such as [find_pets].';
  return { query, tools: tools as string[] };
}

function joined(answers: readonly ToolsEvaluated[], tops: readonly number[]): ToolsEvaluated {
  const results = answers.flatMap((one) => one.results);
  const unknown = new Map(answers.flatMap((one) => one.unknown.map((name) => [name.name, name])));
  return { ...answers.at(-1)!, unknown: [...unknown.values()], figures: retrievalFigures(results, tops), results };
}

/** By the names that floors have. */
function figuresOf({ recall, all, ndcg10, mrr }: RetrievalFigures, tops: readonly number[]): Map<string, number | undefined> {
  return new Map([
    ...tops.map((top): [string, number | undefined] => [`R@${top}`, recall[top]]),
    ...tops.map((top): [string, number | undefined] => [`all@${top}`, all[top]]),
    ['nDCG@10', ndcg10],
    ['MRR', mrr],
  ]);
}

function show(evaluated: ToolsEvaluated, tops: readonly number[], { server, as, all }: EvalToolsOptions): void {
  const { tools, tokens, figures, results, unknown, degraded } = evaluated;
  if (degraded !== undefined) note(degradedText(degraded));
  print(
    headline(
      `${many(results.length, 'question')} to ${server ?? '/mcp'} for ${as ?? 'the anonymous consumer'}: ${many(tools, 'tool')}, ${mostly(tokens)} tokens of definitions`,
      evaluated,
    ),
  );
  const rows = tops.map((top) => {
    const offered = figures.offered[top] ?? 0;
    return [
      String(top),
      percent(figures.recall[top]),
      percent(figures.all[top]),
      mostly(offered),
      percent(tokens === 0 ? undefined : 1 - offered / tokens),
    ];
  });
  print(`\n${columns([['offered', 'recall', 'all found', 'tokens', 'saved'], ...rows], '  ')}`);
  print(`\nnDCG@10 ${percent(figures.ndcg10)}, MRR ${figures.mrr.toFixed(3)}`);
  if (unknown.length > 0) print(`\nNot among the tools, and so never found:\n${unknownText(unknown)}`);
  showMissed(evaluated, tops.find((top) => top >= MISSED_FROM) ?? tops.at(-1)!, all === true);
}

function showMissed({ results }: ToolsEvaluated, top: number, all: boolean): void {
  const missed = results.map((result) => ({ result, names: missedTools(result, top) })).filter(({ names }) => names.length > 0);
  if (missed.length === 0) return print(`\nNothing is missed in the first ${top}.`);
  print(`\nMissed in the first ${top}: ${mostly(missed.length)} of ${many(results.length, 'question')}`);
  const shown = all ? missed : missed.slice(0, LONGEST_LIST);
  for (const { result, names } of shown) {
    const { query, expected, found } = result;
    const ranked = names.map((name) => {
      const at = found.findIndex((one) => one.name === name);
      return at === -1 ? name : `${name} (comes as number ${at + 1})`;
    });
    const wanted = new Set(expected);
    const others = found.slice(0, top).filter(({ name }) => !wanted.has(name));
    const instead = others.slice(0, INSTEAD).map(({ name, score }) => `${name} ${score.toFixed(2)}`);
    print(`  ${quoted(query)}\n    missed  ${ranked.join(', ')}\n    instead ${instead.join(', ') || 'nothing'}`);
  }
  if (shown.length < missed.length) print(`  and ${missed.length - shown.length} more; --all lists them`);
}
