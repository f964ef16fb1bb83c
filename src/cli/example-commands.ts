import type { Command } from 'commander';
import { examples, upTo, withHub, type Act } from './command-options.ts';
import type { ExamplesOptions } from './examples.ts';

/** Of an operation the hub reads no more. */
const MOST = 10;

/** `hubgate examples`: requests by which search finds tools. */
export function exampleRequests(program: Command, act: Act): void {
  withHub(program.command('examples'))
    .description(
      'Ask a model of the running hub for requests that people would make and each tool of a service answers. Search finds tools by them; lists never show them.',
    )
    .argument('<service>', 'a service with an OpenAPI document')
    .requiredOption('--model <name>', 'the model to ask, as /v1/models names it; HUBGATE_KEY says who asks')
    .option('--count <number>', `how many for each tool, up to ${MOST}`, upTo(MOST), 3)
    .option('--tools <glob>', 'only for tools whose name matches, such as "list*"')
    .option('--write', 'keep them in NAME.examples.overlay.yaml beside the document, which the hub follows')
    .option('--force', 'also for tools that have some; those in the file are replaced')
    .option('--json', 'print {service, file?, tools, failed}')
    .addHelpText(
      'after',
      examples('hubgate examples petstore --model gpt-5-mini', 'hubgate examples github --model gpt-5-mini --tools "issues*" --write'),
    )
    .addHelpText('after', '\nTools that have examples are not asked for again, so a run that was stopped goes on where it was.')
    .action(
      act(async (settings, service: string, options: ExamplesOptions) =>
        (await import('./examples.ts')).writeExamples(service, options, settings),
      ),
    );
}
