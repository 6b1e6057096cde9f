import { execFileSync } from 'node:child_process';

/** Texts that a careless script breaks. */
export const oddTexts = [
  'a b',
  ' leading and trailing ',
  "it's",
  '"quoted"',
  '$HOME $(id) `id`',
  'back\\slash \\n',
  'two\nlines\n',
  'tab\tbell\u0007',
  '*.ts ? [a-z] {a,b} ~',
  '!history #comment; & | < > ( )',
  'ü 漢字 😀',
  '-e --env',
  '%s %d %%',
  'yes',
  '1.10',
  '=',
  '',
];

/** Runs lines of bash and returns the words of an array that they set. */
export function readArray(script: string, name: string): string[] {
  // An array without words would be printed as one empty word.
  const print = `if ((\${#${name}[@]} > 0)); then printf '%s\\0' "\${${name}[@]}"; fi`;
  const printed = execFileSync('bash', ['-c', `${script}\n${print}`], { encoding: 'utf8' });
  return printed.split('\0').slice(0, -1);
}
