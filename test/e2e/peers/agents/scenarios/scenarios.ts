import { CARDS } from './cards.ts';
import { MESSAGES } from './messages.ts';
import { PUSH } from './push.ts';
import { REFUSALS } from './refusals.ts';
import type { Scenario } from './scenario.ts';
import { TASKS } from './tasks.ts';

export const SCENARIOS: readonly Scenario[] = [...CARDS, ...MESSAGES, ...TASKS, ...PUSH, ...REFUSALS];
