/** Longer texts match nothing: a pattern with several open parts costs the square of the length. */
const LONGEST = 2048;
/** Operators of RFC 6570 whose values may hold `/`, `?` and `#`. */
const OPEN = /^[+#./;?&]/;

/** Whether a URI may come from a URI template (RFC 6570): literal parts as they stand, a plain `{variable}` within one segment. */
export function compileTemplate(template: string): (uri: string) => boolean {
  const pattern = template
    .split(/(\{[^}]*\})/)
    .map((part) => (part.startsWith('{') ? (OPEN.test(part.slice(1)) ? '.*' : '[^/?#]*') : RegExp.escape(part)))
    .join('');
  const whole = new RegExp(`^${pattern}$`, 's');
  return (uri) => uri.length <= LONGEST && whole.test(uri);
}
