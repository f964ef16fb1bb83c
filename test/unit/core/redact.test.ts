import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Redactor } from '../../../src/core/redact.ts';

const knowing = (...secrets: string[]): Redactor => {
  const redactor = new Redactor();
  for (const secret of secrets) redactor.add(secret);
  return redactor;
};

const html = (text: string): string =>
  text.replace(/[&<>"']/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[char] ?? char);
const SPELLINGS: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  json: (text) => JSON.stringify(text),
  'json in json': (text) => JSON.stringify(JSON.stringify({ text })),
  'json of PHP': (text) => JSON.stringify(text).replaceAll('/', String.raw`\/`),
  'json in ASCII': (text) =>
    JSON.stringify(text).replace(/[^\0-\x7f]/g, (char) => String.raw`\u` + char.charCodeAt(0).toString(16).padStart(4, '0')),
  percent: encodeURIComponent,
  'percent in lower case': (text) => encodeURIComponent(text).replace(/%../g, (code) => code.toLowerCase()),
  'percent twice': (text) => encodeURIComponent(encodeURIComponent(text)),
  form: (text) => new URLSearchParams({ k: text }).toString(),
  html,
  'html in numbers': (text) => text.replace(/[&<>"']/g, (char) => `&#x${char.charCodeAt(0).toString(16)};`),
  'json in html': (text) => html(JSON.stringify(text)),
  'json in a URL': (text) => encodeURIComponent(JSON.stringify(text)),
  'a URL in html in json': (text) => JSON.stringify(html(`?k=${encodeURIComponent(text)}&x=${text}`)),
};

describe('a known secret', () => {
  // A secret may repeat what stands around it; marks that no spelling changes show what is left of it.
  const secret = fc
    .tuple(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.string({ unit: 'grapheme-ascii', maxLength: 12 }))
    .map(([a, b]) => `${a}Qz7Q${b}`);

  it.each(Object.entries(SPELLINGS))('is masked whole: %s', (_name, spell) => {
    fc.assert(
      fc.property(secret, (value) => {
        fc.pre(value.length >= 6 && value.isWellFormed());
        expect(knowing(value).redact(`before ${spell(value)} after`)).not.toContain('Qz7Q');
      }),
    );
  });

  it.each(['base64', 'base64url'] as const)('is masked in %s, wherever it begins', (encoding) => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 8, maxLength: 40 }),
        fc.string({ maxLength: 8 }),
        fc.string({ maxLength: 8 }),
        (value, before, after) => {
          fc.pre(value.isWellFormed());
          const masked = knowing(value).redact(Buffer.from(`${before}${value}${after}`).toString(encoding));
          expect(masked).toContain('[redacted]');
          // What is left of the digits are those that hold bits of both, two at each side.
          const left = masked.replace('[redacted]', '').length;
          expect(left).toBeLessThanOrEqual(Math.ceil(((Buffer.byteLength(before) + Buffer.byteLength(after)) * 4) / 3) + 6);
        },
      ),
    );
  });

  it('takes no time to speak of, whatever the text is made of', () => {
    const redactor = knowing(String.raw`a\\\b"c'd/e`, 'Qz7Q%&25amp;', ...Array.from({ length: 30 }, (_, index) => `secret "${index}"`));
    const started = performance.now();
    for (const part of ['\\', '%25', '%5c', '&amp;', 'a\\', 'Qz7Q%25', 'secret \\', '0']) redactor.redact(part.repeat(30_000));
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('is masked before a shorter one that it begins with', () => {
    expect(knowing('secret', 'secret-and-more').redact('a secret-and-more b secret c')).toBe('a [redacted] b [redacted] c');
  });

  it('is not a word of five letters', () => {
    expect(knowing('admin').redact('admin')).toBe('admin');
  });

  it('is known until everybody who added it has forgotten it', () => {
    const redactor = new Redactor();
    const [first, second] = [redactor.add('token-value'), redactor.add('token-value')];
    first();
    first();
    expect(redactor.redact('token-value')).toBe('[redacted]');
    second();
    expect(redactor.redact('token-value')).toBe('token-value');
  });
});
