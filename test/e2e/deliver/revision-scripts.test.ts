import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { codedeploy } from '../../../src/deliver/targets/codedeploy/codedeploy.ts';
import { nova } from '../../../src/deliver/targets/nova/nova.ts';
import { renderTexts } from '../../deliver/delivery-input.ts';
import { oddTexts } from '../../deliver/revision/bash-words.ts';
import { novaTemplate } from '../../deliver/targets/nova/nova-yml.ts';
import { installPackages, isInstalled } from '../../support/engines/test-engine.ts';

const env = Object.fromEntries(oddTexts.map((text, index) => [`KEY_${index}`, text]));
const service = { env, args: oddTexts, health: '/health', memory: 1e9, cpu: 0.5 };

test.each([
  ['nova', renderTexts(nova, { service, template: novaTemplate() })],
  ['codedeploy', renderTexts(codedeploy, { service })],
  ['codedeploy without a port', renderTexts(codedeploy, { image: { config: {} } })],
])('shellcheck finds nothing in the scripts of %s', async (_, texts) => {
  if (!isInstalled('shellcheck')) await installPackages(['shellcheck']);
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-scripts-'));
  try {
    const scripts = Object.keys(texts).filter((path) => path.endsWith('.sh'));
    for (const path of scripts) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), texts[path]!);
    }
    expect(scripts).toContain('common_functions.sh');
    const { exitCode, all } = await execa('shellcheck', ['--external-sources', ...scripts], {
      cwd: dir,
      reject: false,
      all: true,
    });
    expect([exitCode, all]).toEqual([0, '']);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
