/**
 * An English word without the endings of plural, `-ing` and `-ed`, so that "creating issues" and "create issue" have words in common. Light on purpose: what is not
 * a word of English mostly stays as it is, and a stem need not be a word.
 */
export function stem(word: string): string {
  if (word.length < 4 || !/^[a-z]+$/.test(word)) return word;
  return ended(withoutIng(withoutS(word)));
}

function withoutS(word: string): string {
  if (!word.endsWith('s') || /(?:ss|us|is)$/.test(word)) return word;
  if (word.endsWith('ies')) return word.slice(0, -1);
  return /(?:ch|sh|x|z|ss)es$/.test(word) ? word.slice(0, -2) : word.slice(0, -1);
}

function withoutIng(word: string): string {
  const ending = /(?:ing|ed)$/.exec(word)?.[0];
  if (ending === undefined) return word;
  const rest = word.slice(0, -ending.length);
  if (rest.length < 3 || !/[aeiouy]/.test(rest)) return word;
  // running, stopped; not "calling".
  return /([bdgkmnprt])\1$/.test(rest) ? rest.slice(0, -1) : rest;
}

/** So that "creating" meets "create", and "repositories" "repository". */
function ended(word: string): string {
  const rest = word.length > 3 && word.endsWith('e') ? word.slice(0, -1) : word;
  return rest.length > 3 && /[^aeiou]y$/.test(rest) ? `${rest.slice(0, -1)}i` : rest;
}
