import { isObject } from '../../../../core/json.ts';

/** What the hub remembers of one context of one consumer, so that an application which knows nothing of contexts goes on where it was. */
export interface Conversation {
  /** The application's own id. */
  readonly id?: string | undefined;
  /** What was said, for applications that are told all of it each time. */
  readonly turns: readonly Turn[];
}

interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

export interface Conversations {
  /** That of the context, which is the consumer's own: the same context of another consumer is another conversation. */
  get(owner: string, context: string): Promise<Conversation>;
  set(owner: string, context: string, conversation: Conversation): void;
}

export const NEW_CONVERSATION: Conversation = { turns: [] };

/** Those that are not used the longest are forgotten, or read from the store when they come back. */
const MOST = 1_000;
const MOST_TURNS = 40;
/** Characters of all turns. */
const LONGEST = 64_000;

/** `load` finds a conversation that is not in memory. */
export function createConversations(load: (owner: string, context: string) => Promise<unknown>): Conversations {
  const known = new Map<string, Conversation>();

  function keep(key: string, conversation: Conversation): Conversation {
    known.delete(key);
    known.set(key, conversation);
    if (known.size > MOST) known.delete(known.keys().next().value!);
    return conversation;
  }

  return {
    async get(owner, context) {
      const key = JSON.stringify([owner, context]);
      return keep(key, known.get(key) ?? readConversation(await load(owner, context)));
    },
    set(owner, context, conversation) {
      keep(JSON.stringify([owner, context]), conversation);
    },
  };
}

/** With what was said now; the oldest turns go when it becomes too long. */
export function withTurn({ id, turns }: Conversation, said: string, answered: string): Conversation {
  const all: Turn[] = [...turns, { role: 'user', content: said }, { role: 'assistant', content: answered }];
  let size = all.reduce((sum, { content }) => sum + content.length, 0);
  while (all.length > 2 && (all.length > MOST_TURNS || size > LONGEST)) {
    const gone = all.splice(0, 2);
    size -= gone.reduce((sum, { content }) => sum + content.length, 0);
  }
  return { id, turns: size > LONGEST ? [] : all };
}

function readConversation(value: unknown): Conversation {
  if (!isObject(value)) return NEW_CONVERSATION;
  const { id, turns } = value;
  return { ...(typeof id === 'string' ? { id } : {}), turns: Array.isArray(turns) ? (turns as Turn[]) : [] };
}
