import { Argument, Command, CommanderError, Option } from 'commander';
import { VERSION } from '../core/version.ts';
import type { CallsOptions } from './calls.ts';
import { examples, upTo, withHub, withPlaces, withView, type Act, type Done } from './command-options.ts';
import { evaluations } from './eval-commands.ts';
import { exampleRequests } from './example-commands.ts';
import { failureText } from './failure.ts';
import { modelFolders } from './model-commands.ts';
import { asUsage, CommandError, readSettings, type CommandOptions, type Settings } from './settings.ts';
import type { ToolsOptions } from './tools.ts';

/** Runs the command line. Resolves with the exit code (0, 1 failed, 2 wrong usage), or undefined when the process is to go on. */
export async function runProgram(argv: readonly string[]): Promise<number | undefined> {
  let code: number | undefined;
  const program = createProgram((done) => (code = done));
  try {
    await program.parseAsync(argv);
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`${failureText(error)}\n`);
    return error instanceof CommandError ? error.code : 1;
  }
}

function createProgram(finish: (code: number | undefined) => void): Command {
  const program = new Command('hubgate')
    .description(
      'One hub between AI applications and everything they call: models of every vendor at OpenAI and Anthropic doors, OpenAPI services as MCP servers, and A2A agents.',
    )
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('Run it with --help to see what it takes.')
    .addHelpText(
      'after',
      examples(
        'hubgate serve',
        'hubgate import https://petstore3.swagger.io/api/v3/openapi.json',
        'hubgate tools list',
        'hubgate connect claude-code',
      ),
    );
  /** The options object of a command stands behind its arguments. */
  const act =
    <A extends unknown[]>(run: (settings: Settings, ...args: A) => Promise<Done>, after: number | 'goes on' = 0) =>
    async (...args: unknown[]): Promise<void> => {
      const command = args.at(-1) as Command;
      const settings = readSettings(command.opts<CommandOptions>(), process.env);
      const done = await run(settings, ...(args.slice(0, -1) as A));
      finish(typeof done === 'number' ? done : after === 'goes on' ? undefined : after);
    };
  serving(program, act);
  tools(program, act);
  access(program, act);
  explanations(program, act);
  evaluations(program, act);
  exampleRequests(program, act);
  records(program, act);
  modelFolders(program, act);
  clients(program, act);
  return program;
}

function serving(program: Command, act: Act): void {
  withHub(program.command('serve'))
    .description('Run the hub. It serves what hubgate.yaml, openapi-specs/ and virtual-servers/ say, and follows their changes.')
    .addHelpText(
      'after',
      examples(
        'hubgate serve',
        'hubgate serve --config /etc/hubgate/hubgate.yaml --data /var/lib/hubgate',
        'HUBGATE_PORT=9000 hubgate serve',
      ),
    )
    .action(act(async (settings) => void (await (await import('./serve.ts')).serve(settings))));

  const check = withPlaces(program.command('check'));
  check
    .description(
      'Check the configuration with all its documents. Says every error with its file and line, and ends with 1 when there is one.',
    )
    .option('--json', 'print {ok, problems}')
    .addHelpText('after', examples('hubgate check', 'hubgate check --config staging/hubgate.yaml --json'))
    .action(
      act(async (settings, options: { json?: boolean }) => {
        const optional = check.getOptionValueSource('config') === 'default';
        return (await import('./check.ts')).check({ ...options, optional }, settings);
      }),
    );

  withPlaces(program.command('import'))
    .description('Put OpenAPI documents into openapi-specs/, where they are served at once, and report what becomes of each operation.')
    .argument('<file-or-url...>', 'OpenAPI 3 or Swagger 2 documents, JSON or YAML, or zip archives of one')
    .option('--name <name>', 'the name of the service; else that of the file, or of the title')
    .option('--overlay <file>', 'an OpenAPI overlay to apply to the document, and to keep beside it')
    .option('--dry-run', 'only report; needs no hub and no hubgate.yaml')
    .option('--verbose', 'report every operation, warning and change')
    .option('--progress', 'say how far it is, where standard error is no terminal too')
    .option('--json', 'print one line of JSON for each document')
    .addHelpText(
      'after',
      examples(
        'hubgate import petstore.yaml',
        'hubgate import https://api.example.com/openapi.json --name shop',
        'hubgate import vendor.yaml --overlay repairs.yaml --dry-run',
        'hubgate import *.json --dry-run --json',
      ),
    )
    .action(
      act(async (settings, targets: string[], options: object) =>
        (await import('./import.ts')).importDocuments(targets, options, settings),
      ),
    );
}

function tools(program: Command, act: Act): void {
  const group = program.command('tools').description('List, find and call tools as a consumer sees them.');
  withView(withHub(group.command('list')))
    .description('List the tools.')
    .option('--json', 'print the tools as tools/list of MCP has them')
    .addHelpText('after', examples('hubgate tools list --server pets', 'hubgate tools list --as alice --json'))
    .action(act(async (settings, options: object) => void (await (await import('./tools.ts')).listTools(options, settings))));
  withView(withHub(group.command('search')))
    .description(
      'Find tools by what they do, as search_tools finds them: the best first, each with its score and the words it was found by.',
    )
    .argument('<query>', 'what the tool shall do, in your own words')
    .option('--top <number>', 'how many to find, up to 100; as many as search_tools finds there when absent', upTo(100))
    .option('--json', 'print {tools, degraded?} as the admin API has it')
    .addHelpText(
      'after',
      examples('hubgate tools search "remove a pet" --server petstore', 'hubgate tools search "unpaid invoices" --as alice --top 3'),
    )
    .action(
      act(
        async (settings, query: string, options: ToolsOptions & { top?: number }) =>
          void (await (await import('./tools.ts')).searchTools(query, options, settings)),
      ),
    );
  withView(withHub(group.command('call')))
    .description(
      'Call one tool. At a running hub the key in HUBGATE_KEY says who calls; without a running hub the call is made in this process, and --as says it.',
    )
    .argument('<name>', 'the name of the tool, as the list shows it')
    .option('--args <json>', 'the arguments, as a JSON object', '{}')
    .option('--json', 'print the whole result')
    .addHelpText('after', examples(`hubgate tools call find_pets --server pets --args '{"limit": 3}'`))
    .action(
      act(async (settings, name: string, options: ToolsOptions & { args: string }) =>
        (await import('./tools.ts')).callOneTool(name, options.args, options, settings),
      ),
    );
}

function access(program: Command, act: Act): void {
  const keys = program.command('keys').description('Make, list and delete keys of consumers.');
  const consumer = () => new Argument('<consumer>', 'a consumer of hubgate.yaml or of the store');
  withHub(keys.command('create'))
    .description('Make a key. It is printed this once; the hub keeps a digest.')
    .addArgument(consumer())
    .option('--label <text>', 'what the key is for')
    .option(
      '--expires <time>',
      'when it ends: a date (from 00:00 UTC on) or a time with its zone, such as 2027-01-31 or 2027-01-31T12:00:00Z',
    )
    .option('--json', 'print {id, key}')
    .addHelpText(
      'after',
      examples('hubgate keys create alice --label laptop', 'export HUBGATE_KEY=$(hubgate keys create ci --expires 2027-01-31)'),
    )
    .action(
      act(async (settings, name: string, options: object) => void (await (await import('./keys.ts')).createKey(name, options, settings))),
    );
  withHub(keys.command('list'))
    .description('List the keys that the hub made.')
    .addArgument(consumer())
    .option('--json', 'print the list as JSON')
    .action(
      act(async (settings, name: string, options: object) => void (await (await import('./keys.ts')).listKeys(name, options, settings))),
    );
  withHub(keys.command('delete'))
    .description('Delete a key: it is no longer taken.')
    .addArgument(consumer())
    .argument('<id>', 'the id of the key, as the list shows it')
    .action(act(async (settings, name: string, id: string) => void (await (await import('./keys.ts')).deleteKey(name, id, settings))));
}

function explanations(program: Command, act: Act): void {
  const explain = program.command('explain').description('Say which rules act on something, without calling it.');
  withHub(explain.command('tool'))
    .description('Say why a consumer sees a tool on a server, or does not: every rule in order, with its file and line.')
    .argument('<server>', 'a virtual server, service, upstream server or agent, or /mcp for all sources together')
    .argument('<tool>', 'the name of the tool')
    .option('--as <consumer>', 'the consumer; needed as soon as there are consumers')
    .option('--json', 'print {visible, callable, steps}')
    .addHelpText('after', examples('hubgate explain tool support delete_issue --as alice'))
    .action(
      act(
        async (settings, server: string, tool: string, options: object) =>
          void (await (await import('./explain.ts')).explainTool(server, tool, options, settings)),
      ),
    );
  withHub(explain.command('model'))
    .description('Say which route and which target a call of a model would take: every rule in order, with its file and line.')
    .argument('<model>', 'the name of the model, as a caller would ask for it')
    .option('--as <consumer>', 'the consumer; needed as soon as there are consumers')
    .option('--json', 'print {visible, callable, steps}')
    .option('--api <name>', 'an entry of apis, when it is not that at /v1')
    .option('--header <header...>', 'a header of the request, such as "x-tier: gold", for rules that ask about it')
    .option('--text <text>', 'what the request says, for the same rules')
    .addHelpText(
      'after',
      examples('hubgate explain model gpt-5-mini --as alice', 'hubgate explain model support --header "x-tier: gold" --text "my invoice"'),
    )
    .action(
      act(
        async (settings, model: string, options: object) =>
          void (await (await import('./explain.ts')).explainModel(model, options, settings)),
      ),
    );
  withHub(explain.command('agent'))
    .description(
      'Say whether a consumer may call an agent, and which of its instances would get a message: every rule in order, with its file and line.',
    )
    .argument('<agent>', 'the name of the agent')
    .option('--as <consumer>', 'the consumer; needed as soon as there are consumers')
    .option('--skill <id>', 'the skill that the message names')
    .option('--json', 'print {visible, callable, steps}')
    .addHelpText('after', examples('hubgate explain agent travel --as alice --skill search-flights'))
    .action(
      act(
        async (settings, agent: string, options: object) =>
          void (await (await import('./explain.ts')).explainAgent(agent, options, settings)),
      ),
    );
}

function records(program: Command, act: Act): void {
  withHub(program.command('calls'))
    .description('List the calls that were made: who called what, where it went, how it ended, how long it took, its tokens and its cost.')
    .argument('[id]', 'the id of one request, as its caller got it in x-request-id: shows its calls in full')
    .option('--consumer <name>', 'only calls of this consumer')
    .addOption(new Option('--lane <lane>', 'only calls of this lane').choices(['models', 'tools', 'agents']))
    .option('--model <name>', 'only calls that asked for this model, tool or agent')
    .option('--outcome <outcome>', 'only calls that ended so: ok, failed, the code of an error, or error for all but ok')
    .option('--since <time>', 'only calls since then: a time ago such as 30m, 1h or 7d, or a date')
    .option('--limit <number>', 'how many to list, up to 1000; the newest', upTo(1000), 50)
    .option('--json', 'print the calls as JSON; with --follow each on a line of its own')
    .option('--follow', 'go on with the calls to come, until an interrupt')
    .addHelpText(
      'after',
      examples(
        'hubgate calls --since 1h',
        'hubgate calls --consumer alice --outcome error',
        'hubgate calls --follow',
        'hubgate calls REQUEST_ID',
      ),
    )
    .action(
      act(async (settings, id: string | undefined, options: CallsOptions) => (await import('./calls.ts')).showCalls(id, options, settings)),
    );
}

function clients(program: Command, act: Act): void {
  withHub(program.command('connect'))
    .description('Connect a client to the hub: print how, write its file, or make a bundle to click on.')
    .argument('<client>', 'claude-desktop, claude-code, cursor or vscode')
    .argument('[server]', 'a virtual server, service, upstream server or agent; else all sources together')
    .option('--write', "put the hub into the client's file; what it held before stays beside it as .bak")
    .option('--bundle <file>', 'write an .mcpb bundle for Claude Desktop')
    .addHelpText(
      'after',
      examples(
        'hubgate connect claude-code support',
        'hubgate connect cursor --write',
        'hubgate connect claude-desktop support --bundle support.mcpb',
      ),
    )
    .addHelpText('after', '\nIt takes, prints and writes no key. The key that a client holds says which consumer calls.')
    .action(
      act(async (settings, client: string, server: string | undefined, options: object) => {
        await asUsage(async () => (await import('./connect.ts')).connectClient(client, server, options, settings));
      }),
    );
  withPlaces(program.command('stdio'))
    .description(
      'Serve the hub over standard input and output, for clients that start a process. The hub is HUBGATE_URL, the key HUBGATE_KEY.',
    )
    .argument('[server]', 'a virtual server, service, upstream server or agent; else all sources together')
    .addHelpText('after', examples('HUBGATE_URL=http://127.0.0.1:8700 hubgate stdio support'))
    .action(
      act(
        async ({ env }, server: string | undefined) => asUsage(async () => (await import('./stdio.ts')).runStdio({ server, env })),
        'goes on',
      ),
    );
}
