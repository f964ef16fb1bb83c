import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeFolder, runHere } from './run-cli.ts';

let cwd: string;
beforeAll(async () => {
  cwd = await makeFolder({
    'bad.yaml': '- { query: remove a pet, tool: deletePet }\n',
    'good.yaml': '- { query: remove a pet, tools: [deletePet] }\n',
  });
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

describe('eval', () => {
  it.each([
    [
      ['tools', 'search', '--help'],
      ['--server', '--as', '--top', '$ hubgate tools search'],
    ],
    [
      ['eval', '--help'],
      ['tools', 'routes'],
    ],
    [
      ['eval', 'tools', '--help'],
      ['--server', '--as', '--top', '--model', '--floor', '--all', '--json', '$ hubgate eval tools', '"tools": ["deletePet"]'],
    ],
    [
      ['eval', 'routes', '--help'],
      ['--model', '--floor', '$ hubgate eval routes', '"intent": "billing"'],
    ],
  ])('%j', async (args, parts) => {
    const { code, stdout, stderr } = await runHere(cwd, args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const part of parts) expect(stdout).toContain(part);
  });

  it.each<[string[], number, string]>([
    [['tools'], 2, 'missing required argument'],
    [['tools', 'good.yaml', '--top', '0'], 2, 'from 1 to 100'],
    [['tools', 'good.yaml', '--top', '5', '--floor', 'R@10=0.5'], 2, 'There are R@5, all@5, nDCG@10, MRR.'],
    [['routes', 'good.yaml', '--floor', 'accurcy=0.5'], 2, 'Did you mean "accuracy"?'],
    [['tools', 'gone.yaml'], 1, 'There is no file'],
    [['tools', 'bad.yaml'], 1, 'bad.yaml:1 The entry needs tools: a list'],
    [['routes', 'good.yaml'], 1, 'good.yaml:1 The entry needs a text'],
    [['tools', 'good.yaml', '--top', '5,x'], 2, 'from 1 to 100'],
    [['tools', 'good.yaml', '--top', '5', '--top', '7', '--floor', 'R@10=0.5'], 2, 'There are R@5, R@7, all@5, all@7, nDCG@10, MRR.'],
    [['tools', 'good.yaml', '--top', '5,7', '--floor', 'MRR=0.5,R@10=0.5'], 2, 'There are R@5, R@7, all@5, all@7, nDCG@10, MRR.'],
  ])('says what is wrong before any hub is asked: %j', async ([command = '', file, ...rest], code, told) => {
    const result = await runHere(cwd, ['eval', command, ...(file === undefined ? [] : [`${cwd}/${file}`]), ...rest]);
    expect(result).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(told) });
  });

  it.each([
    ['tools', '--floor', 'R@5=0.9', 'bad.yaml:1 The entry needs tools'],
    ['tools', '--top', '5', 'bad.yaml:1 The entry needs tools'],
    ['routes', '--floor', 'accuracy=0.9', 'bad.yaml:1 The entry needs a text'],
  ])('takes the file behind an option: %s %s', async (command, option, value, told) => {
    const result = await runHere(cwd, ['eval', command, option, value, `${cwd}/bad.yaml`]);
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining(told) });
  });
});
