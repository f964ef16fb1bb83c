import { routingFigures, type RoutingFigures } from '../gateway/evaluation/classification.ts';
import { NONE, type RoutesEvaluated } from '../gateway/evaluation/evaluate-routes.ts';
import { openAdmin } from './admin-access.ts';
import { askInBatches } from './eval-batches.ts';
import { LONGEST_EXAMPLE, readExamples } from './eval-file.ts';
import { floorText, judgeFloors, readFloors } from './eval-floors.ts';
import { degradedText, headline, LONGEST_LIST, many, mostly, percent, quoted, unknownText } from './eval-text.ts';
import { columns, note, print, printJson } from './print.ts';
import type { Settings } from './settings.ts';

export interface EvalRoutesOptions {
  readonly model?: string;
  readonly floor?: readonly string[];
  readonly all?: boolean;
  readonly json?: boolean;
}

interface Example {
  readonly text: string;
  readonly intent?: string;
  readonly route?: string;
}

/** Pairs that are worth looking at. */
const MOST_CONFUSED = 10;
/** How far down scores are shown. */
const NEAR = 3;

/** `hubgate eval routes`: how well the intent of a text is found. Returns 1 when a floor is not reached. */
export async function evalRoutes(file: string, options: EvalRoutesOptions, settings: Settings): Promise<number> {
  const { model, json } = options;
  const floors = readFloors(options.floor ?? [], [...figuresOf(routingFigures([], [])).keys()]);
  const examples = await readExamples(file, readExample);
  const access = await openAdmin(settings);
  try {
    const answers = await askInBatches<Example, RoutesEvaluated>(access, '/eval/routes', examples, (texts) => ({ model, texts }));
    const whole = joined(answers);
    const judged = judgeFloors(floors, figuresOf(whole.figures));
    if (json === true) printJson({ ...whole, floors: judged });
    else show(whole, options);
    if (json !== true) for (const floor of judged) (floor.ok ? print : note)(floorText(floor));
    return judged.every(({ ok }) => ok) ? 0 : 1;
  } finally {
    await access.close();
  }
}

function readExample(entry: Readonly<Record<string, unknown>>): Example | string {
  const { text, intent, route } = entry;
  if (typeof text !== 'string' || text.trim() === '') return 'The entry needs a text: what a caller wrote.';
  if (text.length > LONGEST_EXAMPLE) return `The text is longer than ${LONGEST_EXAMPLE} characters.`;
  if (intent !== undefined && route !== undefined) return 'The entry has an intent and a route: one of them is enough.';
  if (typeof route === 'string' && route !== '') return { text, route };
  if (intent === null) return { text, intent: NONE };
  if (typeof intent === 'string' && intent !== '') return { text, intent };
  return 'The entry needs an intent, as the configuration names it, or a route; a text that is about none of them has the intent none.';
}

function joined(answers: readonly RoutesEvaluated[]): RoutesEvaluated {
  const results = answers.flatMap((one) => one.results);
  const last = answers.at(-1)!;
  const unknown = new Map(answers.flatMap((one) => one.unknown.map((name) => [name.name, name])));
  return { ...last, unknown: [...unknown.values()], figures: routingFigures(results, last.intents), results };
}

/** By the names that floors have. */
function figuresOf({ accuracy, inScope, none }: RoutingFigures): Map<string, number | undefined> {
  return new Map([
    ['accuracy', accuracy],
    ['inScope', inScope],
    ['none', none],
  ]);
}

function show(evaluated: RoutesEvaluated, { all }: EvalRoutesOptions): void {
  const { intents, figures, results, unknown, degraded } = evaluated;
  if (degraded !== undefined) note(degradedText(degraded));
  print(headline(`${many(results.length, 'text')}, ${many(intents.length, 'intent')}`, evaluated));
  print(
    `\naccuracy ${percent(figures.accuracy)}: ${percent(figures.inScope)} of the texts with an intent, ${percent(figures.none)} of those with none`,
  );
  const rows = figures.classes.map(({ name, texts, precision, recall, threshold }) => [
    name,
    String(texts),
    percent(precision),
    percent(recall),
    threshold?.toFixed(3) ?? '—',
  ]);
  print(`\n${columns([['intent', 'texts', 'precision', 'recall', 'threshold'], ...rows], '  ')}`);
  if (unknown.length > 0) print(`\nNeither an intent nor a route, and so never found:\n${unknownText(unknown)}`);
  if (figures.confused.length > 0) {
    const pairs = figures.confused
      .slice(0, MOST_CONFUSED)
      .map(({ expected, given, count: often }) => [String(often), expected ?? NONE, '→', given ?? NONE]);
    print(`\nTaken for another\n${columns(pairs, '  ')}`);
  }
  showMissed(evaluated, all === true);
}

function showMissed({ results }: RoutesEvaluated, all: boolean): void {
  const missed = results.filter(({ expected, given }) => expected !== given);
  if (missed.length === 0) return print('\nNothing is missed.');
  print(`\nMissed: ${mostly(missed.length)} of ${many(results.length, 'text')}`);
  const shown = all ? missed : missed.slice(0, LONGEST_LIST);
  for (const { text, expected, given, scores } of shown) {
    const near = scores
      .slice(0, NEAR)
      .map(({ name, score, threshold }) => `${name} ${score.toFixed(3)}${score < threshold ? ` (needs ${threshold.toFixed(3)})` : ''}`);
    print(`  ${quoted(text)}\n    ${expected ?? NONE}, taken for ${given ?? NONE}: ${near.join(', ')}`);
  }
  if (shown.length < missed.length) print(`  and ${missed.length - shown.length} more; --all lists them`);
}
