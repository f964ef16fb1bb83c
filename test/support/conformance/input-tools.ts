import type { JsonObject } from '../../../src/core/json.ts';
import type { ToolsReply } from '../../../src/core/tools.ts';
import {
  acceptedText,
  type ConformanceTool,
  type Context,
  elicit,
  elicited,
  LIST_ROOTS,
  listedRoots,
  needInput,
  sample,
  sampled,
  text,
  tool,
} from './context.ts';

const STRING = { type: 'string' };
const ASK_NAME = elicit('What is your name?', { name: STRING });

/** Every primitive type with a default. */
const DEFAULTS: JsonObject = {
  name: { type: 'string', default: 'John Doe' },
  age: { type: 'integer', default: 30 },
  score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', default: true },
};

const titled = (noun: string): JsonObject[] =>
  ['First', 'Second', 'Third'].map((ordinal, index) => ({ const: `value${index + 1}`, title: `${ordinal} ${noun}` }));
const OPTIONS = { type: 'string', enum: ['option1', 'option2', 'option3'] };

/** All five forms of an enum. */
const ENUMS: JsonObject = {
  untitledSingle: OPTIONS,
  titledSingle: { type: 'string', oneOf: titled('Option') },
  legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] },
  untitledMulti: { type: 'array', items: OPTIONS },
  titledMulti: { type: 'array', items: { anyOf: titled('Choice') } },
};

/** Tools that cannot finish without the client: a user's answer, a completion, the client's roots. */
export const inputTools: readonly ConformanceTool[] = [
  tool(
    'test_sampling',
    'Asks the client for a completion',
    (context) => {
      const answer = sampled(context, 'answer');
      return answer === undefined
        ? needInput({ answer: sample(String(context.arguments.prompt ?? 'Say something')) })
        : text(`LLM response: ${answer}`);
    },
    required({ prompt: STRING }),
  ),
  tool('test_missing_capability', 'Needs the sampling capability', (context) =>
    sampled(context, 'answer') === undefined ? needInput({ answer: sample('Say pong') }) : text('pong'),
  ),
  tool(
    'test_elicitation',
    'Asks the user for a name and an email',
    (context) => {
      const fields = { username: { ...STRING, description: "User's response" }, email: { ...STRING, description: "User's email address" } };
      return askForm(context, elicit(String(context.arguments.message ?? 'Who are you?'), fields), 'User response');
    },
    required({ message: STRING }),
  ),
  tool('test_elicitation_sep1034_defaults', 'Asks with a default for every primitive type', (context) =>
    askForm(context, elicit('Please review', DEFAULTS, []), 'Elicitation completed'),
  ),
  tool('test_elicitation_sep1330_enums', 'Asks with all five kinds of enum', (context) =>
    askForm(context, elicit('Please choose', ENUMS, []), 'Elicitation completed'),
  ),
  tool('test_input_required_result_elicitation', 'Needs a name', (context) => {
    const name = acceptedText(context, 'user_name', 'name');
    return name === undefined ? needInput({ user_name: ASK_NAME }) : text(`Hello, ${name}!`);
  }),
  tool('test_input_required_result_sampling', 'Needs a completion', (context) => {
    const answer = sampled(context, 'capital_question');
    return answer === undefined ? needInput({ capital_question: sample('What is the capital of France?') }) : text(answer);
  }),
  tool('test_input_required_result_list_roots', "Needs the client's roots", (context) => {
    const roots = listedRoots(context, 'client_roots');
    return roots ? text(`Roots: ${roots.map((root) => root.uri).join(', ')}`) : needInput({ client_roots: LIST_ROOTS });
  }),
  tool('test_input_required_result_request_state', 'Needs its own state echoed back', confirm),
  tool('test_input_required_result_tampered_state', 'Refuses a changed state', confirm),
  tool('test_input_required_result_multiple_inputs', 'Needs a name, a completion and the roots at once', (context) => {
    const name = acceptedText(context, 'user_name', 'name');
    const greeting = sampled(context, 'greeting');
    const roots = listedRoots(context, 'client_roots');
    if (name !== undefined && greeting !== undefined && roots) return text(`${greeting} ${name}, ${roots.length} root(s)`);
    return needInput({ user_name: ASK_NAME, greeting: sample('Generate a greeting', 50), client_roots: LIST_ROOTS }, { step: 'all' });
  }),
  tool('test_input_required_result_multi_round', 'Asks twice, one after the other', (context) => {
    const { state } = context;
    const color = elicited(context, 'step2');
    if (state?.step === 2 && color) return text(`${state.name} likes ${color.content.color}`);
    const name = elicited(context, 'step1');
    if (state?.step === 1 && name) {
      return needInput({ step2: elicit('Step 2: What is your favorite color?', { color: STRING }) }, { step: 2, name: name.content.name });
    }
    return needInput({ step1: elicit('Step 1: What is your name?', { name: STRING }) }, { step: 1 });
  }),
  tool('test_input_required_result_capabilities', 'Asks only for what the client can do', ({ answers, channel }) => {
    const { sampling, elicitation } = channel.clientCapabilities;
    const requests = {
      ...(sampling !== undefined && { greeting: sample('Generate a greeting', 50) }),
      ...(elicitation !== undefined && { user_name: ASK_NAME }),
    };
    return Object.keys(requests).length > 0 && Object.keys(answers).length === 0 ? needInput(requests) : text('Nothing to ask.');
  }),
];

function required(properties: JsonObject): JsonObject {
  return { type: 'object', properties, required: Object.keys(properties) };
}

function askForm(context: Context, answer: JsonObject, prefix: string): ToolsReply {
  const given = elicited(context, 'answer');
  return given ? text(`${prefix}: action=${given.action}, content=${JSON.stringify(given.content)}`) : needInput({ answer });
}

function confirm(context: Context): ToolsReply {
  if (context.state?.step === 'asked' && elicited(context, 'confirm')) return text('state-ok');
  return needInput({ confirm: elicit('Please confirm', { ok: { type: 'boolean' } }) }, { step: 'asked' });
}
