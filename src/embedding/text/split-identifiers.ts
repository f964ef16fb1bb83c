// createPullRequest, HTTPServer, page2
const SMALL_TO_CAPITAL = /(?<=[\p{Ll}\p{N}])(?=\p{Lu})/gu;
const CAPITALS_TO_WORD = /(?<=\p{Lu})(?=\p{Lu}\p{Ll})/gu;
// A full stop at the end of a sentence is none of these.
const BETWEEN = /(?<=[\p{L}\p{N}])[_\-./:]+(?=[\p{L}\p{N}])/gu;

/** A text whose identifiers are words: `createPullRequest` becomes `create Pull Request`, `repo_id` becomes `repo id`. */
export function splitIdentifiers(text: string): string {
  return text.replace(SMALL_TO_CAPITAL, ' ').replace(CAPITALS_TO_WORD, ' ').replace(BETWEEN, ' ');
}
