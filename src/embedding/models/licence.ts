/** Names by SPDX, lower case, of licences that let anybody use and pass on the weights. */
const PERMISSIVE = new Set([
  '0bsd',
  'apache-2.0',
  'bsd',
  'bsd-2-clause',
  'bsd-3-clause',
  'cc-by-4.0',
  'cc0-1.0',
  'isc',
  'mit',
  'unlicense',
  'zlib',
]);

export function isPermissive(licence: string): boolean {
  return PERMISSIVE.has(licence.toLowerCase());
}

/** The field `license` in the head of a model card; `license_name` where that is `other`. Lower case. */
export function licenceOfCard(card: string): string | undefined {
  const [, head = ''] = /^\uFEFF?---\r?\n([^]*?)\r?\n---/.exec(card) ?? [];
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}:[ \\t]*(?:\\r?\\n[ \\t]*-[ \\t]*)?["'[]*([\\w.+-]+)`, 'm').exec(head)?.[1]?.toLowerCase();
  const licence = field('license');
  return licence === 'other' ? (field('license_name') ?? licence) : licence;
}

/** The licence that a text is the text of; undefined for one that is not among those that are known here. */
export function licenceOfText(text: string): string | undefined {
  const flat = text.replaceAll(/\s+/g, ' ').trim();
  // Permissive words with a condition before or behind them are another licence.
  if (/commons clause/i.test(flat)) return undefined;
  const begin = flat.slice(0, 400);
  if (/Apache License,? Version 2\.0, January 2004/i.test(begin)) return 'apache-2.0';
  if (/Permission is hereby granted, free of charge, to any person obtaining a copy/.test(flat) && flat.length < 2000) return 'mit';
  if (/Redistribution and use in source and binary forms, with or without modification/.test(flat) && flat.length < 3000)
    return /Neither the name/.test(flat) ? 'bsd-3-clause' : 'bsd-2-clause';
  return undefined;
}
