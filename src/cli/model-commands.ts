import type { Command } from 'commander';
import { examples, withHub, type Act } from './command-options.ts';
import type { PullCommandOptions } from './models.ts';

/** `hubgate models`: the folders of models of embeddings. */
export function modelFolders(program: Command, act: Act): void {
  const group = program
    .command('models')
    .description('List, pull and remove models of embeddings, which find tools and routes by meaning.');
  withHub(group.command('list'))
    .description('List the models that are here, which of them the running hub uses, and those that can be pulled by name.')
    .option('--json', 'print {folder, models, available, semantic}')
    .addHelpText('after', examples('hubgate models list', 'hubgate models list --json'))
    .action(act(async (settings, options: object) => void (await (await import('./models.ts')).listModels(options, settings))));
  withHub(group.command('pull'))
    .description(
      'Download a model, check it, and let the running hub take it up. Nothing else in Hubgate downloads anything. A download that broke off goes on where it stopped.',
    )
    .argument('<name>', 'a model that the list names, or OWNER/NAME of any other that was exported for transformers.js')
    .option(
      '--from <address>',
      'a mirror of Hugging Face, the address of plain files, or a folder; else HUBGATE_MODELS_URL, else https://huggingface.co',
    )
    .option('--revision <name>', 'a branch, tag or commit; a commit stays what it is', 'main')
    .option('--force', 'pull what is here already once more')
    .option('--accept-licence', 'take a model whose licence is none of the permissive ones, or is not known')
    .addHelpText(
      'after',
      examples(
        'hubgate models pull all-MiniLM-L6-v2',
        'hubgate models pull all-MiniLM-L6-v2 --from ./all-MiniLM-L6-v2',
        'hubgate models pull OWNER/NAME --from https://mirror.example --revision 751bff3',
        'NODE_USE_ENV_PROXY=1 HTTPS_PROXY=http://proxy.example:3128 hubgate models pull gte-small',
      ),
    )
    .action(
      act(async (settings, name: string, options: PullCommandOptions) =>
        (await import('./models.ts')).pullOneModel(name, options, settings),
      ),
    );
  withHub(group.command('remove'))
    .description('Remove a model that was pulled, and what a broken download has left of it.')
    .argument('<name>', 'the name of the model, as the list shows it')
    .addHelpText('after', examples('hubgate models remove gte-small'))
    .action(act(async (settings, name: string) => (await import('./models.ts')).removeModel(name, settings)));
}
