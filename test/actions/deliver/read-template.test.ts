import { mkdirSync, mkdtempDisposableSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chooseTarget } from '../../../src/actions/deliver/choose-target.ts';
import { readTemplate } from '../../../src/actions/deliver/read-template.ts';
import { parseSpec } from '../../../src/spec/read/read-spec.ts';
import { errorOf } from '../../support/assert/error-of.ts';

test('a template that a link leads out of the repository to is not read, whichever part of its path is the link', async () => {
  using dir = mkdtempDisposableSync(join(tmpdir(), 'gbuild-template-'));
  const [root, own] = [join(dir.path, 'repository'), join(dir.path, 'own')];
  for (const each of [root, own]) mkdirSync(each);
  writeFileSync(join(own, 'compose.yml'), 'services: {hello: {environment: {TOKEN: of-the-caller}}}\n');
  symlinkSync(join(own, 'compose.yml'), join(root, 'link.yml'));
  symlinkSync(own, join(root, 'folder'));
  writeFileSync(join(root, 'compose.yml'), 'services: {hello: {}}\n');
  symlinkSync('compose.yml', join(root, 'inside.yml'));
  const read = (template: string) => {
    const text = `gbuild: 1\nname: hello\ntoolchain: node\ndeliver: {targets: {web: {kind: compose, template: ${template}}}}\n`;
    return readTemplate(root, chooseTarget('web', { spec: parseSpec(text).spec, specFile: undefined }));
  };
  for (const template of ['link.yml', 'folder/compose.yml']) {
    const { code, message } = await errorOf(() => read(template));
    expect([code, message]).toEqual(['template-invalid', expect.stringContaining('leads out of the repository')]);
  }
  expect([...read('inside.yml')!.files.values()]).toEqual(['services: {hello: {}}\n']);
});
