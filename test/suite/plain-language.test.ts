import { expect, it } from 'vitest';
import { checkSource } from '../../scripts/plain-language.ts';

it('refuses a doc comment that begins with its description, on one line or several', () => {
  for (const word of ['Of', 'Whose', 'Who', 'That', 'Those', 'What'])
    expect(checkSource(`const a = 1;\n/** ${word} the manifest. */\n/**\n * ${word} is there.\n */`)).toEqual([
      `2: a doc comment begins with "${word}": begin with a verb or a noun`,
      `3: a doc comment begins with "${word}": begin with a verb or a noun`,
    ]);
});

it('takes doc comments that begin with a verb or a noun, and any other comment', () => {
  expect(checkSource('/** Digest of what is there. */\n/** Offset. */\n// Of no use to a reader.\n')).toEqual([]);
});

it('refuses a private word in an identifier and in a comment', () => {
  for (const [word, code] of [
    ['rim', 'const rim = openRim;'],
    ['ground', 'packGround(runGround);'],
    ['spool', 'withSpool(spoolDir);'],
    ['beside', 'writeBeside(beside);'],
    ['patience', 'const patience = mostPatience;'],
    ['heed', 'heed(heedStop);'],
    ['landing', 'new Landing(landing);'],
    ['landed', 'const landed: Landed = 1;'],
  ] as const) {
    const refused = (line: number) => expect.stringContaining(`${line}: the word "${word}": say `);
    expect(checkSource(code)).toEqual([refused(1), refused(1)]);
    expect(checkSource(`let a;\n// The ${word} of a run.`)).toEqual([refused(2)]);
  }
});

it('refuses a word or a phrase of translated comments, also across lines, and lets code have it', () => {
  expect(checkSource('/** Packs it anew. */\n// Nobody has it at\n// hand.\nconst anew = nobody;')).toEqual([
    '1: "anew" in a comment: say again',
    '2: "nobody" in a comment: say what happens',
    '2: "at hand" in a comment: say in memory, or readable',
  ]);
  expect(checkSource('  /**\n   * Layer at\n   * hand.\n   */\n/** Word `anew`, and "elsewhere". */')).toEqual([
    '2: "at hand" in a comment: say in memory, or readable',
  ]);
});

it('lets strings, quoted text and longer words be', () => {
  const source = "join(dir, 'spool'); // as before\nconstructor(background); // `spool` is a folder of the cache\n";
  expect(checkSource(`${source}/** Trims; "beside" is a word of the CLI. */\nconst text = \`beside it\`;`)).toEqual([]);
});
