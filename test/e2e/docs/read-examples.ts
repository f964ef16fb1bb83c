import { readFileSync } from 'node:fs';

/** A configuration that a page shows whole. */
export interface Example {
  /** The heading above it; ` (2)` follows for the second under one heading. */
  readonly title: string;
  readonly config: string;
  /** The other files under the same heading, by path: they lie beside the configuration. */
  readonly files: Readonly<Record<string, string>>;
}

/** A heading, or a block of code whose first line is a comment with the path of its file. */
const PART = /^#{1,4} (?<heading>.+)$|^```(?:yaml|ts)\n(?:#|\/\/) (?<path>[\w./-]+\.(?:ya?ml|ts))\n(?<text>[\s\S]*?)^```$/gm;

/** All examples of a page in `docs/`, in its order. */
export function readExamples(page: string): readonly Example[] {
  const source = readFileSync(new URL(`../../../docs/${page}.md`, import.meta.url), 'utf8');
  const examples: Example[] = [];
  let heading = '';
  let configs = 0;
  let files: Record<string, string> = {};
  for (const { groups = {} } of source.matchAll(PART)) {
    const { path, text = '' } = groups;
    if (path === undefined) {
      heading = groups['heading']!;
      configs = 0;
      files = {};
    } else if (path === 'hubgate.yaml') {
      configs += 1;
      examples.push({ title: configs === 1 ? heading : `${heading} (${configs})`, config: text, files });
    } else files[path] = text;
  }
  return examples;
}
