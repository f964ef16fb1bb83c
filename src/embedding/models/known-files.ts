/** What a folder must hold for transformers.js to load a model of 8-bit weights from it. The weights are the last: they are most of the bytes. */
export const MODEL_FILES = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'onnx/model_quantized.onnx'] as const;
/** What goes along where it is there: words of the tokenizer, how sentence-transformers pools and prefixes, and who may do what with the weights. */
export const MORE_FILES = [
  'special_tokens_map.json',
  '1_Pooling/config.json',
  'config_sentence_transformers.json',
  'LICENSE',
  'NOTICE',
  'README.md',
] as const;
/** The table of a static model, as the package hubgate-static-en has it. */
export const STATIC_FILES = ['static.json', 'static.i8', 'static.scales.f32'] as const;
export const SUMS_FILE = 'SHA256SUMS';
/** Where `hubgate models pull` writes down where a folder came from. */
export const ORIGIN_FILE = 'hubgate-model.json';

/** A model that has a short name. */
export interface PullableModel {
  readonly name: string;
  /** On Hugging Face: weights of 8 bits, exported for transformers.js. */
  readonly repo: string;
  /** Of the weights, by their authors' model card. */
  readonly licence: string;
  readonly dims: number;
  /** All files together, about. */
  readonly megabytes: number;
  readonly about: string;
}

export const PULLABLE: readonly PullableModel[] = [
  {
    name: 'all-MiniLM-L6-v2',
    repo: 'Xenova/all-MiniLM-L6-v2',
    licence: 'apache-2.0',
    dims: 384,
    megabytes: 24,
    about: 'English; the one that Hubgate is measured with',
  },
  { name: 'bge-small-en-v1.5', repo: 'Xenova/bge-small-en-v1.5', licence: 'mit', dims: 384, megabytes: 35, about: 'English' },
  { name: 'gte-small', repo: 'Xenova/gte-small', licence: 'mit', dims: 384, megabytes: 35, about: 'English' },
  {
    name: 'multilingual-e5-small',
    repo: 'Xenova/multilingual-e5-small',
    licence: 'mit',
    dims: 384,
    megabytes: 135,
    about: 'about a hundred languages',
  },
];

/** What may name a folder of a model: never a path, never hidden. */
export const MODEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/;
