import { Type } from 'typebox';
import { description, duration, list, map, oneOf, shape, text } from './parts.ts';

const model = (what: string) => text(`The model ${what}, as embedding.model names it; that one when absent.`);

export const Embedding = shape(
  {
    model: Type.Optional(
      text(
        'auto (the best that is there), hubgate-static-en, none (words alone), the name of a model in folder, the path of a model folder beginning with ./ or /, hub:NAME for a route of embeddings of this hub, or the name of an extension of kind embedder.',
        { default: 'auto' },
      ),
    ),
    folder: Type.Optional(
      text('Where model folders are, relative to this file; models in the data folder when absent, where hubgate models pull puts them.'),
    ),
    options: Type.Optional(map(Type.Unknown(), { description: 'What an embedder of your own wants to know.' })),
    loadTimeout: Type.Optional(
      duration('How long loading a model may take before the next rung is the one that answers.', { default: '20s' }),
    ),
  },
  { description: 'The model that finds tools, routes and answers by meaning.' },
);

export const Intent = shape(
  {
    description: Type.Optional(description),
    examples: Type.Array(Type.String({ minLength: 1, maxLength: 1000 }), {
      minItems: 1,
      description: 'Texts of callers that are about it: ten or more, in their own words.',
    }),
    threshold: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description: 'The least score at which a text is about it; tuned from the examples when absent.',
      }),
    ),
  },
  { description: 'What a text may be about.' },
);

export const IntentRouting = shape(
  {
    mode: Type.Optional(
      oneOf(
        ['on', 'shadow'],
        'shadow: the intent is found, recorded and counted, no route is taken by it, and no call waits. Default: on.',
      ),
    ),
    model: Type.Optional(model('that finds the intent')),
    timeout: Type.Optional(
      duration('How long finding the intent may take; the call then takes the routes that ask for none.', { default: '100ms' }),
    ),
    none: Type.Optional(list(text('A text of a caller.'), 'Texts that are about none of the intents; ten or more.')),
  },
  { description: 'How the intent of a text is found.' },
);
