import type { HubConfig, ModelRouteConfig } from '../../../config/types.ts';
import { compileGlob } from '../../../core/conditions.ts';
import type { Problem } from '../../../core/contracts/resource.ts';
import { pointerToken } from '../../../core/json.ts';

/** Examples of an intent below which a mean of them is all that can be learnt. */
const FEW = 5;

/** A route as the configuration has it, with its place. */
export interface AskingRoute {
  readonly name: string;
  readonly pointer: string;
  /** Of models, or one glob; absent when it takes any. */
  readonly models?: readonly string[] | undefined;
  readonly config: Pick<ModelRouteConfig, 'match'>;
}

/** Routes that ask for an intent that there is not or leave calls without a route, intents that no route asks for, and examples that are too few. `routes` are those of all APIs. */
export function intentProblems({ intents = {} }: Pick<HubConfig, 'intents'>, routes: readonly AskingRoute[]): Problem[] {
  const names = Object.keys(intents);
  const problems: Problem[] = [];
  const asked = new Set<string>();
  for (const [index, route] of routes.entries()) {
    const { name, pointer, config } = route;
    const intent = config.match?.intent;
    if (intent === undefined) continue;
    asked.add(intent);
    if (!routes.slice(index + 1).some((later) => isBaseOf(later, route))) {
      const message = `A call that is not about ${intent} finds no route after ${name}: it is a 404, and so is every call whose intent cannot be found in time. Add a route below that asks for no intent.`;
      problems.push({ code: 'intent_without_base', severity: 'warning', message, pointer });
    }
    if (names.includes(intent)) continue;
    const message = `There is no intent "${intent}". Known: ${names.join(', ') || 'none'}. Add it under \`intents:\` with examples.`;
    problems.push({ code: 'intent_unknown', severity: 'error', message, pointer: `${pointer}/match/intent` });
  }
  for (const [name, { examples }] of Object.entries(intents)) {
    const pointer = `/intents/${pointerToken(name)}`;
    const distinct = new Set(examples.map((text) => text.trim().toLowerCase())).size;
    if (!asked.has(name)) {
      const message = `No route asks for the intent ${name}: it only takes texts away from the others. Add a route with \`match: { intent: ${name} }\`, or move its examples to intentRouting.none.`;
      problems.push({ code: 'intent_unused', severity: 'warning', message, pointer });
    }
    if (distinct < FEW) {
      const message = `The intent ${name} has ${distinct} different ${distinct === 1 ? 'example' : 'examples'}: with fewer than ${FEW} in any intent, all are told apart by the mean of their examples alone, which is wrong more often. Ten or more are advised.`;
      problems.push({ code: 'intent_examples_few', severity: 'warning', message, pointer: `${pointer}/examples` });
    }
  }
  return problems;
}

/** Whether a route takes what the other leaves, as far as the names of models tell. */
function isBaseOf({ pointer, config, models }: AskingRoute, other: AskingRoute): boolean {
  if (config.match?.intent !== undefined || listOf(pointer) !== listOf(other.pointer)) return false;
  return (
    models === undefined ||
    other.models === undefined ||
    other.models.every((name) => models.some((one) => one === name || compileGlob(one)(name)))
  );
}

/** Where the list stands that a route is in. */
function listOf(pointer: string): string {
  return pointer.slice(0, pointer.lastIndexOf('/'));
}
