import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measureExamples } from './examples.ts';
import { measureWithKit } from './kit.ts';
import { measureImport } from './import.ts';
import { measureIntents } from './intents.ts';
import { measure, type Measurement } from './measure.ts';
import { installPeers } from './portkey.ts';
import { profile } from './profile.ts';
import { canPin } from './programs.ts';
import { render, summarise, type Summary } from './report.ts';
import { measureRetrieval } from './retrieval.ts';
import { scenarios, type Scenario } from './scenarios.ts';
import { measureSearch } from './search.ts';
import { measureSelection } from './selection.ts';
import { measureSemanticCache } from './semantic-cache.ts';
import { measureStartup } from './startup.ts';
import { spread } from './statistics.ts';
import { nginx } from './targets.ts';

const HELP = `npm run bench -- SCENARIO [options]

Measures the hub against other programs on this machine, in turn, and prints the CPU of a call or chunk and its ratio to each.

scenarios
${[...scenarios].map(([name, { title }]) => `  ${name.padEnd(14)}${title}`).join('\n')}
  startup       from spawn to the first answers
  search        search_tools over 10,000 tools through the public door
  selection     what tool-selection keeps of 500 tools, and the tokens that it saves
  examples      what example requests bring to search, at the most
  semantic-cache  which questions share answers, by model and threshold; a folder after it is where transformers.js is installed
  routing       intents of CLINC150 from ten examples each, by model; a folder after it is where transformers.js is installed
  import        OpenAPI documents to tools: CPU, memory, stalls of the main thread
  retrieval     how well and how quickly tools are found

options
  --rounds N        rounds of each target (4)
  --secs S          seconds of each run (5)
  --kit[=DIR]       measure with the bench kit only: a folder with native load client and mock (../shared/bench)
  --peers           first install the other gateways that it is compared with (bench/peers); they stay
  --own             measure with this bench only; else the kit follows when its folder is there
  --save            keep the figures in bench/results/SCENARIO.json
  --profile TARGET  instead: where the time of one target goes
  --model NAME      of retrieval: static, none, or the name or folder of a model (static)
  -h, --help
`;

const KIT = fileURLToPath(new URL('../../shared/bench', import.meta.url));
const RESULTS = new URL('results/', import.meta.url);

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}

function readArguments() {
  // parseArgs knows no option with a value that may be left out.
  const args = process.argv.slice(2).map((arg) => (arg === '--kit' ? `--kit=${KIT}` : arg));
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        rounds: { type: 'string', default: '4' },
        secs: { type: 'string', default: '5' },
        kit: { type: 'string' },
        peers: { type: 'boolean', default: false },
        own: { type: 'boolean', default: false },
        save: { type: 'boolean', default: false },
        profile: { type: 'string' },
        model: { type: 'string', default: 'static' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    return fail(`${(error as Error).message}\n\n${HELP}`);
  }
}

function positive(name: string, text: string): number {
  const value = Number(text);
  return value > 0 ? value : fail(`--${name} is a number above 0, not "${text}"`);
}

function store(name: string, figures: object, save: boolean): void {
  const at = new Date().toISOString();
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version, pinned: canPin };
  const text = `${JSON.stringify({ scenario: name, at, machine, ...figures }, rounded, 2)}\n`;
  mkdirSync(new URL('tmp/', RESULTS), { recursive: true });
  writeFileSync(new URL(`tmp/${at.replaceAll(':', '-')}-${name}.json`, RESULTS), text);
  if (save) writeFileSync(new URL(`${name}.json`, RESULTS), text);
}

const rounded = (_key: string, value: unknown): unknown => (typeof value === 'number' ? Number(value.toPrecision(4)) : value);

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  if (values.help) return console.log(HELP);
  const name = positionals[0] ?? '';
  if (name === 'startup') return startup(positive('rounds', values.rounds));
  if (name === 'import') {
    for await (const line of measureImport(positive('rounds', values.rounds))) console.log(line);
    return;
  }
  if (name === 'selection') {
    for await (const line of measureSelection()) console.log(line);
    return;
  }
  if (name === 'examples') {
    for await (const line of measureExamples()) console.log(line);
    return;
  }
  if (name === 'semantic-cache') {
    for await (const line of measureSemanticCache(positionals[1])) console.log(line);
    return;
  }
  if (name === 'routing') {
    for await (const line of measureIntents(positionals[1])) console.log(line);
    return;
  }
  if (name === 'search') {
    for await (const line of measureSearch(positive('rounds', values.rounds))) console.log(line);
    return;
  }
  if (name === 'retrieval') return retrieval(values.model, values.save);
  const scenario = scenarios.get(name) ?? fail(`${name === '' ? 'Name a scenario' : `There is no scenario "${name}"`}.\n\n${HELP}`);
  if (process.platform !== 'linux') fail('The bench reads CPU times from /proc and so needs Linux.');
  if (!canPin) console.error('No taskset, or one core only: nothing is kept on a core of its own, and the figures vary more.');
  const rounds = positive('rounds', values.rounds);
  const seconds = positive('secs', values.secs);
  if (values.peers) await installPeers();
  if (values.profile !== undefined) return profileAll(scenario, values.profile, seconds);
  console.log(`${scenario.note}\n`);

  const summaries: Summary[] = [];
  const show = (measurements: readonly Measurement[]): void => {
    for (const measurement of measurements) {
      const summary = summarise(scenario, measurement);
      summaries.push(summary);
      console.log(`${render(scenario, measurement.style, summary)}\n`);
    }
  };
  if (values.kit === undefined) show(await measure(scenario, { rounds, seconds, onResult: logResult }));
  const kit = values.kit ?? (!values.own && existsSync(KIT) ? KIT : undefined);
  if (kit !== undefined) show(await measureWithKit(kit, name, rounds, seconds));
  store(name, { rounds, seconds, summaries }, values.save);
  if (summaries.some(({ rows }) => rows.some(({ bad }) => bad > 0))) process.exitCode = 1;
}

async function retrieval(model: string, save: boolean): Promise<void> {
  const lines = measureRetrieval(model);
  let next = await lines.next();
  for (; next.done !== true; next = await lines.next()) console.log(next.value);
  store(model === 'static' ? 'retrieval' : `retrieval-${basename(model)}`, next.value, save);
}

/** At most so many milliseconds from spawn to the first answers, as the median. */
const STARTUP_GOAL_MS = 1500;

async function startup(rounds: number): Promise<void> {
  const times: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    times.push(await measureStartup());
    console.error(`  ${round} ${times.at(-1)!.toFixed(0)} ms`);
  }
  const { median, min, max } = spread(times);
  const verdict = median <= STARTUP_GOAL_MS ? 'met' : 'MISSED';
  console.log(
    `spawn to first list and call: ${median.toFixed(0)} ms (${min.toFixed(0)}–${max.toFixed(0)}); goal at most ${STARTUP_GOAL_MS}: ${verdict}`,
  );
}

async function profileAll({ contenders, styles }: Scenario, name: string, seconds: number): Promise<void> {
  const onNode = contenders.filter((one) => one !== nginx);
  const contender = onNode.find((one) => one.name === name);
  if (contender === undefined) fail(`--profile takes one of ${onNode.map((one) => one.name).join(', ')}`);
  const absence = contender.absence?.();
  if (absence !== undefined) fail(`${name} is ${absence}`);
  for (const style of styles) console.log(`${await profile(style, contender, seconds)}\n`);
}

const logResult: Parameters<typeof measure>[1]['onResult'] = (style, target, round, { callsPerSecond, cpuMicros, stream, bad }) => {
  const rate = stream?.chunksPerSecond ?? callsPerSecond;
  const unit = stream === undefined ? 'call' : 'chunk';
  console.error(
    `  ${style} ${round} ${target.padEnd(14)} ${rate.toFixed(0).padStart(7)}/s ${cpuMicros.toFixed(1).padStart(7)} µs/${unit}${bad > 0 ? ` ${bad} BAD` : ''}`,
  );
};

// What was started leads sessions of its own and does not hear the terminal's interrupt; it is ended when this process ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

await main();
