import { defineEmbedder } from '../../core/contracts/embedder.ts';
import { GatewayError } from '../../core/errors.ts';
import { fingerprint } from '../../core/secret.ts';
import { inspectModelFolder } from '../models/model-folder.ts';
import { EmbeddingThread } from '../transformers/embedding-thread.ts';
import { findLibrary } from '../transformers/find-library.ts';
import { weightsVersion } from '../transformers/weights-version.ts';

export interface TransformersOptions {
  /** Of the model: absolute. */
  readonly path: string;
  /** Where the library may be installed, if not beside the hub: absolute. */
  readonly folder: string;
  readonly pooling: 'mean' | 'cls';
  readonly queryPrefix: string;
  readonly documentPrefix: string;
}

/** Texts in a call: of many, those of a length go through the model together; a query is answered between them. */
const BATCH = 128;
/** Characters of a text that are given to the model: more than any that is known here reads. */
const LONGEST = 8_192;

const WEIGHTS = 'onnx/model_quantized.onnx';

const text = { type: 'string' };

/** A model folder in ONNX form, computed by `@huggingface/transformers` in a thread of its own. Nothing is ever fetched. */
export default defineEmbedder<TransformersOptions>({
  name: 'transformers',
  options: {
    type: 'object',
    additionalProperties: false,
    required: ['path', 'folder', 'pooling', 'queryPrefix', 'documentPrefix'],
    properties: { path: text, folder: text, pooling: { enum: ['mean', 'cls'] }, queryPrefix: text, documentPrefix: text },
  },
  async create({ path, folder, pooling, queryPrefix, documentPrefix }, host) {
    const library = findLibrary(folder);
    if (library === undefined)
      throw unavailable(
        '@huggingface/transformers is not installed: npm i -D @huggingface/transformers --ignore-scripts, where hubgate.yaml is, brings it.',
      );
    const { name, files, problem } = await inspectModelFolder(path);
    const mend = `hubgate models pull ${name} mends a folder that it brought.`;
    if (problem !== undefined) throw unavailable(`The model folder ${name} is not whole: ${problem}. ${mend}`);
    if (!files.some((file) => file.name === WEIGHTS)) throw unavailable(`The model folder ${name} has no ${WEIGHTS}.`);
    const version = fingerprint([await weightsVersion(path, [WEIGHTS, 'tokenizer.json']), pooling, queryPrefix, documentPrefix]);
    const prefix = { query: queryPrefix, document: documentPrefix };
    const thread = await EmbeddingThread.open({ library, model: path, pooling }, host.log).catch((error: Error) => {
      if (error instanceof GatewayError && error.code === 'unavailable') throw error;
      const detail = error instanceof GatewayError ? error.detail : error.message;
      throw unavailable(`The library cannot load the model folder ${name}. ${mend}`, detail);
    });
    return {
      id: `${name}@${version.slice(0, 8)}`,
      dims: thread.dims,
      batch: BATCH,
      async embed(texts, as, signal) {
        try {
          return await thread.embed(
            texts.map((one) => prefix[as] + one.slice(0, LONGEST)),
            as,
            signal,
          );
        } catch (error) {
          if (signal?.aborted === true) throw error;
          // A model that fails on any text is no longer of use.
          if (error instanceof GatewayError && (await thread.embed([`${prefix[as]}ready`], as).catch(() => undefined)) !== undefined)
            throw error;
          throw unavailable(`The thread of the model ${name} has failed; it is started again.`, (error as Error).message);
        }
      },
      [Symbol.asyncDispose]: () => thread.close(),
    };
  },
});

function unavailable(message: string, detail?: string): GatewayError {
  return new GatewayError('unavailable', message, detail === undefined ? {} : { detail });
}
