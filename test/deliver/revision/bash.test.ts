import { expect, test } from 'vitest';
import { formatArray, quoteBash } from '../../../src/deliver/revision/bash.ts';
import { oddTexts, readArray } from './bash-words.ts';

test('bash reads each word of an array as it was', () => {
  expect(readArray(formatArray('words', oddTexts), 'words')).toEqual(oddTexts);
  expect(readArray(formatArray('words', []), 'words')).toEqual([]);
  expect(readArray(`words=("x" ${quoteBash("a'b c")})`, 'words')).toEqual(['x', "a'b c"]);
});

test('a plain word stays as it is', () => {
  expect([quoteBash('/data:/data'), quoteBash('a=1.10'), quoteBash('')]).toEqual(['/data:/data', 'a=1.10', "''"]);
});
