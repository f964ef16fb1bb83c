import type { Command } from 'commander';
import { examples, upTo, withHub, withView, type Act } from './command-options.ts';
import type { EvalRoutesOptions } from './eval-routes.ts';
import type { EvalToolsOptions } from './eval-tools.ts';

const about = (entry: string): string => `
The file is JSON, JSON lines or YAML; docs/evaluation.md shows one of each. An
entry as a line of JSON:
  ${entry}
A running hub is asked through its admin API; without one the work is done in
this process. Ends with 1 when a floor is not reached.`;

/** `hubgate eval`: how well tools and routes are found, on the operator's own examples. */
export function evaluations(program: Command, act: Act): void {
  const group = program.command('eval').description('Measure on examples of your own how well tools are found, and texts routed.');
  withJudging(withView(withHub(group.command('tools'))), 'R@K, all@K, nDCG@10 or MRR must be, once for each or as R@5=0.8,MRR=0.7')
    .description('Measure how well the tools of a server are found: recall, nDCG, MRR, the tokens that are saved, and what is missed.')
    .argument('<file>', 'a list of {query, tools: [names that should be found]}')
    .option('--top <number>', 'how many tools are offered, once for each or as 1,3,5; the default is 1, 5, 10 and 20', repeated(upTo(100)))
    .addHelpText(
      'after',
      examples(
        'hubgate eval tools questions.yaml --server petstore',
        'hubgate eval tools questions.jsonl --as alice --top 5,8 --floor R@5=0.8',
        'hubgate eval tools questions.yaml --model none',
      ),
    )
    .addHelpText('after', about('{"query": "remove a pet", "tools": ["deletePet"]}'))
    .action(
      act(async (settings, file: string, options: EvalToolsOptions) =>
        (await import('./eval-tools.ts')).evalTools(file, options, settings),
      ),
    );
  withJudging(withHub(group.command('routes')), 'accuracy, inScope or none must be, once for each or as accuracy=0.9,none=0.8')
    .description('Measure how well the intent of a text is found: accuracy, precision and recall of each, what is confused with what.')
    .argument('<file>', 'a list of {text, intent} or {text, route}; the intent none is for texts that are about none of them')
    .addHelpText('after', examples('hubgate eval routes texts.yaml', 'hubgate eval routes texts.jsonl --floor accuracy=0.9'))
    .addHelpText('after', about('{"text": "I was charged twice", "intent": "billing"}'))
    .action(
      act(async (settings, file: string, options: EvalRoutesOptions) =>
        (await import('./eval-routes.ts')).evalRoutes(file, options, settings),
      ),
    );
}

function withJudging(command: Command, floors: string): Command {
  return command
    .option(
      '--model <name>',
      "the model of embeddings: a name of the list of models, none, or what the configuration names; the hub's own when absent",
    )
    .option('--floor <floor>', `what ${floors}`, repeated(String))
    .option('--all', 'list everything that is missed; else 20')
    .option('--json', 'print the figures, and the result of each entry');
}

/** Reads an option that is given more than once, or with a comma between its values: one that took all words behind it would take the file too. */
function repeated<T>(read: (value: string) => T): (value: string, before?: readonly T[]) => readonly T[] {
  return (value, before = []) => [...before, ...value.split(',').map((one) => read(one.trim()))];
}
