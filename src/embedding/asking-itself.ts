import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * True while the hub embeds through a route of its own. What the pipeline of that call asks of embeddings, such as the intent of its text, is answered
 * below `remote`: it would wait for itself.
 */
export const askingItself = new AsyncLocalStorage<boolean>();
