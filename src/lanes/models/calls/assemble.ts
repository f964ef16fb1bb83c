import type { CallPart, ChatEvent, ChatReply, Finish, Part, ReasoningPart } from '../../../core/chat.ts';
import type { Usage } from '../../../core/usage.ts';

/** Puts the whole answer together from the steps of a stream. */
export class Assembly {
  readonly #parts: Part[] = [];
  readonly #calls = new Map<number, { -readonly [K in keyof CallPart]: CallPart[K] }>();
  #id: string | undefined;
  #model: string | undefined;
  #finish: Finish = 'stop';
  #stopSequence: string | undefined;
  #usage: Usage | undefined;

  add(event: ChatEvent): void {
    if (event.type === 'start') {
      this.#id = event.id;
      this.#model = event.model;
    } else if (event.type === 'text' || event.type === 'refusal' || event.type === 'reasoning') this.#say(event.type, event.text);
    else if (event.type === 'seal') this.#seal(event);
    else if (event.type === 'call') this.#call(event);
    else if (event.type === 'arguments') {
      const call = this.#calls.get(event.call);
      if (call !== undefined) call.arguments += event.text;
    } else if (event.type === 'usage') this.#usage = { ...this.#usage, ...event.usage };
    else if (event.type === 'finish') {
      this.#finish = event.finish;
      this.#stopSequence = event.stopSequence;
    }
  }

  get reply(): ChatReply {
    return {
      parts: this.#parts,
      finish: this.#finish,
      ...(this.#id === undefined ? {} : { id: this.#id }),
      ...(this.#model === undefined ? {} : { model: this.#model }),
      ...(this.#stopSequence === undefined ? {} : { stopSequence: this.#stopSequence }),
      ...(this.#usage === undefined ? {} : { usage: this.#usage }),
    };
  }

  #say(type: 'text' | 'refusal' | 'reasoning', text: string): void {
    const last = this.#parts.at(-1);
    // A sealed piece of reasoning is closed: what follows is another.
    if (last?.type === type && !(last.type === 'reasoning' && last.seal !== undefined))
      this.#parts[this.#parts.length - 1] = { ...last, text: last.text + text };
    else this.#parts.push({ type, text });
  }

  #seal({ seal, hidden }: Extract<ChatEvent, { type: 'seal' }>): void {
    const last = this.#parts.at(-1);
    if (hidden !== true && last?.type === 'reasoning' && last.seal === undefined) {
      const sealed: ReasoningPart = { ...last, seal };
      this.#parts[this.#parts.length - 1] = sealed;
    } else this.#parts.push({ type: 'reasoning', text: '', seal, ...(hidden === undefined ? {} : { hidden }) });
  }

  #call({ call, id, name, seal }: Extract<ChatEvent, { type: 'call' }>): void {
    const part = { type: 'call' as const, id, name, arguments: '', ...(seal === undefined ? {} : { seal }) };
    this.#calls.set(call, part);
    this.#parts.push(part);
  }
}
