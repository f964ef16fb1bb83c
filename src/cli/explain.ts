import type { Explanation, ExplanationStep } from '../core/contracts/resource.ts';
import { openAdmin } from './admin-access.ts';
import { columns, print, printJson } from './print.ts';
import { CommandError, type Settings } from './settings.ts';
import { checkCaller } from './tools.ts';
import { unknown } from './unknown.ts';

/** `hubgate explain tool`: every rule that acted, in order, with its place. Nothing is called. Throws for a consumer, server or tool that does not exist. */
export async function explainTool(
  server: string,
  tool: string,
  { as, json }: { as?: string; json?: boolean },
  settings: Settings,
): Promise<void> {
  const access = await openAdmin(settings);
  try {
    await checkCaller(access, as);
    // `/mcp` stands for the hub's own endpoint, which has no name.
    const query = { server: server === '/mcp' ? '' : server, tool, consumer: as };
    const explanation = (await access.ask('GET', '/explain', { query })) as Explanation;
    const missing = explanation.steps.find(namesNothing)?.value;
    if (json === true) printJson(explanation);
    if (missing !== undefined) {
      const on = missing.unknown === 'tool' ? `tool of ${server} called` : 'server';
      throw new CommandError(unknown(on, missing.unknown === 'tool' ? tool : server, missing.known));
    }
    if (json === true) return;
    const { visible, callable, steps } = explanation;
    print(
      `${tool} on ${server} for ${as ?? 'the anonymous consumer'}: ${visible ? 'visible' : 'hidden'}, ${callable ? 'callable' : 'not callable'}`,
    );
    print(
      columns(
        steps.map((step) => [step.effect, describe(step), place(step)]),
        '  ',
      ),
    );
  } finally {
    await access.close();
  }
}

type NamesNothing = ExplanationStep & { readonly value: { readonly unknown: 'server' | 'tool'; readonly known: readonly string[] } };

/** The step that says that what is asked about is not there at all. */
function namesNothing(step: ExplanationStep): step is NamesNothing {
  return typeof step.value === 'object' && step.value !== null && 'unknown' in step.value && 'known' in step.value;
}

function describe({ rule, value }: ExplanationStep): string {
  return value === undefined ? rule : `${rule} (${typeof value === 'string' ? value : JSON.stringify(value)})`;
}

function place({ file, line }: ExplanationStep): string {
  return file === undefined ? '' : [file, line].filter((part) => part !== undefined).join(':');
}
