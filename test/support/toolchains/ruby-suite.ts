import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { connectEngine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { commitAll, openCli } from '../cli/cli.ts';
import { endpointOf } from '../engines/endpoint-of.ts';
import { removeRepository } from '../engines/engine-images.ts';
import { runScript } from '../engines/run-script.ts';

const gemspec = (gem: string, more = '') =>
  `Gem::Specification.new do |spec|\n  spec.name = '${gem}'\n  spec.version = '1.0.0'\n  spec.summary = 'A gem of the test'\n  spec.authors = ['Ada']\n  spec.license = 'MIT'\n  spec.files = Dir['lib/**/*', 'ext/**/*']\n${more}end\n`;

/** Tests vendored gems, with a native one among them, with Ruby of these lines. */
export function describeRuby(lines: string[]): void {
  const engine = inject('engineHost');
  const cli = openCli({ engine });
  const nameOf = (line: string) => `e2e-ruby-${line}-${process.pid}`;
  afterAll(async () => {
    for (const line of lines) await removeRepository(engine, nameOf(line));
    cli[Symbol.dispose]();
  });

  const filesOf = (line: string) => ({
    'gbuild.yml': `gbuild: 1
name: ${nameOf(line)}
toolchain: ruby@${line}
tasks:
  # What a repository that vendors its gems has done before.
  vendor: |
    mkdir -p vendor/cache
    for gem in native only_test; do (cd gems/$gem && gem build --silent --output ../../vendor/cache/$gem-1.0.0.gem $gem.gemspec); done
  test:
    run: bundle exec ruby -e 'require "native"; require "only_test"; puts "native says " + Native.answer.to_s'
    needs: [install]
image:
  entrypoint: [bundle, exec, ruby, app.rb]
`,
    Gemfile: "source 'https://gems.example.org'\n\ngem 'native'\n\ngroup :test do\n  gem 'only_test'\nend\n",
    'app.rb': 'require "native"\nputs "the image says #{Native.answer}"\n',
    '.gitignore': '/.bundle/\n',
    'gems/native/native.gemspec': gemspec('native', "  spec.extensions = ['ext/native/extconf.rb']\n"),
    'gems/native/ext/native/extconf.rb': "require 'mkmf'\ncreate_makefile('native/native')\n",
    'gems/native/ext/native/native.c':
      '#include <ruby.h>\nstatic VALUE answer(VALUE self) { return INT2NUM(42); }\nvoid Init_native(void) { rb_define_singleton_method(rb_define_module("Native"), "answer", answer, 0); }\n',
    'gems/native/lib/native.rb': "require 'native/native'\n",
    'gems/only_test/only_test.gemspec': gemspec('only_test'),
    'gems/only_test/lib/only_test.rb': 'module OnlyTest; end\n',
  });

  test.each(lines)(
    'with Ruby %s vendored gems are installed without a network, native ones compiled, and shipped without those of tests',
    {
      timeout: 600_000,
    },
    async (line) => {
      const cwd = cli.repository(line, filesOf(line));
      for (const task of ['vendor', 'install']) {
        const { exitCode, stderr } = await cli.run(['run', task], { cwd });
        expect(exitCode, stderr).toBe(0);
      }
      const spec = readFileSync(join(cwd, 'gbuild.yml'), 'utf8');
      writeFileSync(join(cwd, 'gbuild.yml'), `${spec}network: none\n`);
      commitAll(cwd, 'vendored and locked');
      const tested = await cli.run(['test'], { cwd });
      expect([tested.exitCode, tested.stdout], `${tested.stdout}${tested.stderr}`).toEqual([
        0,
        expect.stringContaining('native says 42'),
      ]);
      const { exitCode, stdout, stderr } = await cli.run(['image', '--release', '1.0.0', '--json'], { cwd });
      expect(exitCode, `${stdout}${stderr}`).toBe(0);
      const { layers } = JSON.parse(stdout) as ImageRecord;
      expect(layers.map((layer) => layer.name)).toEqual(
        ['gems', 'application', 'settings'].map((name) => `gbuild layer: ${name}`),
      );
      const client = connectEngine(endpointOf(engine), { owner: readOwner(), runId: `ruby-${process.pid}` });
      const script =
        'cd /app && bundle exec ruby app.rb; ls vendor/bundle/ruby/*/gems; ls vendor; ls vendor/bundle/ruby/*/extensions/*/*/native*';
      expect(await runScript(client, `${nameOf(line)}:1.0.0`, script)).toBe(
        'the image says 42\nnative-1.0.0\nbundle\ngem.build_complete\nnative\n',
      );
      client.close();
    },
  );
}
