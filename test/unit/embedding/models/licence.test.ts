import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { isPermissive, licenceOfCard, licenceOfText } from '../../../../src/embedding/models/licence.ts';

const ROOT = new URL('../../../../', import.meta.url);
const MIT = `MIT License

Copyright (c) 2024 Somebody

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction.`;
const BSD = 'Redistribution and use in source and binary forms, with or without\nmodification, are permitted.';

it.each([
  ['---\nlicense: apache-2.0\n---\n# A', 'apache-2.0'],
  ['---\r\nlanguage: en\r\nlicense: "MIT"\r\n---\r\n', 'mit'],
  ['\uFEFF---\nlicense:\n- cc-by-nc-4.0\n---\n', 'cc-by-nc-4.0'],
  ['---\nlicense: [mit]\n---\n', 'mit'],
  ['---\nlicense: other\nlicense_name: llama2\n---\n', 'llama2'],
  ['---\nlicense: other\n---\n', 'other'],
  ['---\nlibrary_name: transformers.js\n---\nlicense: mit\n', undefined],
  ['# No head\nlicense: mit\n', undefined],
  ['---\nmodel_license: mit\n---\n', undefined],
  ['', undefined],
])('reads the licence of a model card: %j', (card, licence) => {
  expect(licenceOfCard(card)).toBe(licence);
});

it('knows the texts of licences, and takes one with a condition for none of them', () => {
  expect(licenceOfText(readFileSync(new URL('packages/hubgate-static-en/LICENSE-Apache-2.0', ROOT), 'utf8'))).toBe('apache-2.0');
  expect(licenceOfText(MIT)).toBe('mit');
  expect(licenceOfText(BSD)).toBe('bsd-2-clause');
  expect(licenceOfText(`${BSD} Neither the name of the holder…`)).toBe('bsd-3-clause');
  expect(licenceOfText(`"Commons Clause" License Condition v1.0\n${MIT}`)).toBeUndefined();
  expect(licenceOfText('You may use it for research. See the Apache License, Version 2.0.')).toBeUndefined();
  expect(licenceOfText('')).toBeUndefined();
});

it('tells permissive licences from others', () => {
  for (const name of ['Apache-2.0', 'mit', 'bsd-3-clause', 'cc0-1.0']) expect(isPermissive(name)).toBe(true);
  for (const name of ['cc-by-nc-4.0', 'gpl-3.0', 'agpl-3.0', 'llama2', 'other', 'unknown', '']) expect(isPermissive(name)).toBe(false);
});
