/** Where one sentence or request ends and the next begins. */
const BETWEEN =
  /[.!?;]+(?=\s|$)|\n|,? (?:and then|after that|and also|and|then|also|as well as|additionally|furthermore|moreover|finally|next|plus) /iu;
/** But for ends of lines, which end a request. */
const SPACES = /[^\S\n]+/gu;
const FEWEST_WORDS = 3;
const MOST = 12;

/** The parts of a request that asks for several things: its sentences, and what "and", "then" or "also" join. None for a request that is one part. */
export function subQueries(query: string): string[] {
  const parts = query
    .replace(SPACES, ' ')
    .split(BETWEEN)
    .map((part) => part.trim())
    .filter((part) => part.split(' ').length >= FEWEST_WORDS);
  return parts.length > 1 ? parts.slice(0, MOST) : [];
}
