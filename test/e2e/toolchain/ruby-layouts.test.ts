import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { connectEngine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { commitAll, git, openCli } from '../../support/cli/cli.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { removeRepository } from '../../support/engines/engine-images.ts';
import { runScript } from '../../support/engines/run-script.ts';

const engine = inject('engineHost');
const cli = openCli({ engine });
const client = connectEngine(endpointOf(engine), { owner: readOwner(), runId: `ruby-layouts-${process.pid}` });
const names: string[] = [];
afterAll(async () => {
  for (const name of names) await removeRepository(engine, name);
  client.close();
  cli[Symbol.dispose]();
});

const source = "source 'https://gems.corp.example'\n";

function makeRepository(name: string, files: Record<string, string>, more = ''): { cwd: string; image: string } {
  const image = `e2e-ruby-${name}-${process.pid}`;
  names.push(image);
  const cwd = cli.repository(name, {
    'gbuild.yml': `gbuild: 1\nname: ${image}\ntoolchain: ruby@3.1\n${more}`,
    ...files,
  });
  return { cwd, image };
}

async function release(cwd: string, ...flags: string[]): Promise<ImageRecord> {
  // A store of its own: what is there already is not built again.
  const env = { XDG_DATA_HOME: `${cwd}-data` };
  const { exitCode, stdout, stderr } = await cli.run(['image', '--release', '1.0.0', '--json', ...flags], { cwd, env });
  expect(exitCode, `${stdout}${stderr}`).toBe(0);
  return JSON.parse(stdout) as ImageRecord;
}

const gemspec = (name: string, more: string) =>
  `Gem::Specification.new do |spec|\n  spec.name = '${name}'\n  spec.summary = 'A gem of the test'\n  spec.authors = ['Ada']\n${more}end\n`;

/** A gem with C, and the task that packs it as a repository that vendors its gems has done before. */
const native = {
  'gems/native/native.gemspec': gemspec(
    'native',
    "  spec.version = '1.0.0'\n  spec.files = Dir['ext/**/*']\n  spec.extensions = ['ext/native/extconf.rb']\n",
  ),
  'gems/native/ext/native/extconf.rb': "require 'mkmf'\ncreate_makefile('native/native')\n",
  'gems/native/ext/native/native.c':
    '#include <ruby.h>\nstatic VALUE answer(VALUE self) { return INT2NUM(42); }\nvoid Init_native(void) { rb_define_singleton_method(rb_define_module("Native"), "answer", answer, 0); }\n',
};
const packGem = (name: string) =>
  `mkdir -p vendor/cache && cd gems/${name} && gem build --silent --output ../../vendor/cache/${name}-1.0.0.gem ${name}.gemspec`;

test('what evaluating a Gemfile and gemspecs reads is in the image, also what they ask git for', async () => {
  const { cwd, image } = makeRepository('evaluated', {
    '.ruby-version': '3.1.0\n',
    VERSION: '1.2.3\n',
    Gemfile: `${source}ruby "~> #{File.read(File.join(__dir__, '.ruby-version')).strip}"\ngemspec\ngem 'greeter', path: 'gems/greeter'\n`,
    'shop.gemspec': gemspec(
      'shop',
      '  spec.version = File.read(File.join(__dir__, \'VERSION\')).strip\n  spec.files = `git ls-files -z`.split("\\0")\n',
    ),
    'lib/shop.rb': 'require "greeter"\nmodule Shop; end\n',
    'gems/greeter/lib/greeter/version.rb': "module Greeter; VERSION = '0.9.0'; end\n",
    'gems/greeter/lib/greeter.rb':
      'require \'greeter/version\'\nmodule Greeter; def self.hello = "hello #{VERSION}"; end\n',
    'gems/greeter/greeter.gemspec': `require_relative 'lib/greeter/version'\n${gemspec('greeter', '  spec.version = Greeter::VERSION\n  spec.files = IO.popen(%w[git ls-files -z], chdir: __dir__) { |out| out.readlines("\\0", chomp: true) }\n')}`,
    'app.rb': 'require "shop"\nputs Greeter.hello, Gem.loaded_specs["shop"].version\n',
    Procfile: 'web: bundle exec ruby app.rb\n',
  });
  expect((await cli.run(['run', 'install'], { cwd })).exitCode).toBe(0);
  commitAll(cwd, 'locked');
  await release(cwd);
  expect(await runScript(client, `${image}:1.0.0`, 'cd /app && bundle exec ruby app.rb; command -v git')).toBe(
    'hello 0.9.0\n1.2.3\n',
  );
  expect(git(cwd, 'status', '--porcelain')).toBe('');
});

test('a repository that ignores nothing is released, and two installations of native gems give one image', async () => {
  const vendor = `tasks:\n  vendor: ${packGem('native')}\nimage:\n  entrypoint: [bundle, exec, ruby, app.rb]\n`;
  const { cwd, image } = makeRepository(
    'ignores-nothing',
    {
      Gemfile: `${source}gem 'native'\n`,
      'app.rb': 'require "native/native"\nputs Native.answer\n',
      ...native,
    },
    vendor,
  );
  for (const task of ['vendor', 'install']) {
    const { exitCode, stderr } = await cli.run(['run', task], { cwd });
    expect(exitCode, stderr).toBe(0);
  }
  expect(git(cwd, 'status', '--porcelain').split('\n').sort()).toEqual([
    '?? Gemfile.lock',
    '?? gbuild.lock',
    '?? vendor/',
  ]);
  git(cwd, 'add', '-A');
  expect(git(cwd, 'ls-files', 'vendor')).toBe('vendor/cache/native-1.0.0.gem');
  commitAll(cwd, 'vendored and locked');
  const clone = `${cwd}-clone`;
  git('/', 'clone', '-q', cwd, clone);
  // The one from a checkout of the commit, the other in the clone itself.
  const [made, again] = [await release(cwd), await release(clone)];
  expect(again.imageId).toBe(made.imageId);
  expect([git(cwd, 'status', '--porcelain'), git(clone, 'status', '--porcelain')]).toEqual(['', '']);
  // As bin/rails does, which calls no `bundle`.
  const script = 'cd /app && bundle exec ruby app.rb && ruby -r bundler/setup app.rb';
  expect(await runScript(client, `${image}:1.0.0`, script)).toBe('42\n42\n');
});

test("Debian's gems serve a Gemfile with and without a lock, and after an installation that failed", async () => {
  const { cwd } = makeRepository('debian', {
    Gemfile: `${source}gem 'rake'\ngem 'nowhere'\n`,
    Rakefile:
      "task(:default) { puts Time.new(2026, 7, 1, in: nil).then { ENV['TZ'] = 'America/New_York'; Time.local(2026, 7, 1).utc_offset } }\n",
  });
  const failed = await cli.run(['test'], { cwd });
  expect(failed.exitCode).not.toBe(0);
  expect(failed.stderr).toContain('install-gems: the gems of the toolchain do not serve the Gemfile');
  writeFileSync(join(cwd, 'Gemfile'), `${source}gem 'rake'\n`);
  mkdirSync(join(cwd, 'vendor/bundle/ruby/3.1.0'), { recursive: true });
  for (const hasLock of [false, true]) {
    expect(existsSync(join(cwd, 'Gemfile.lock'))).toBe(hasLock);
    const { exitCode, stdout, stderr } = await cli.run(['test'], { cwd });
    expect([exitCode, stdout], stderr).toEqual([0, expect.stringContaining('-14400\n')]);
  }
});

test('a lock that the build writes is refused with the line that commits it', async () => {
  const { cwd, image } = makeRepository('lockless', {
    Gemfile: `${source}gem 'rake'\n`,
    'app.rb': 'puts Rake::VERSION.empty?\n',
    Procfile: 'web: bundle exec ruby -r rake app.rb\n',
  });
  expect((await cli.run(['lock'], { cwd })).exitCode).toBe(0);
  commitAll(cwd, 'locked');
  const refused = await cli.run(['image', '--release', '1.0.0', '--json'], { cwd });
  expect([refused.exitCode, JSON.parse(refused.stdout).error.suggestions]).toEqual([
    2,
    ['gbuild run stage && git add Gemfile.lock && git commit -m "Lock the dependencies"'],
  ]);
  expect((await cli.run(['run', 'stage'], { cwd })).exitCode).toBe(0);
  git(cwd, 'add', 'Gemfile.lock');
  git(cwd, 'commit', '-q', '-m', 'Lock the dependencies');
  await release(cwd);
  expect(await runScript(client, `${image}:1.0.0`, 'cd /app && bundle exec ruby -r rake app.rb')).toBe('false\n');
});

test("gems lie where the repository's BUNDLE_PATH says, for tasks and in the image, and nothing else of that folder", async () => {
  const more = `tasks:
  vendor: |
    (${packGem('native')})
    (${packGem('only_test')})
  test: { run: "ruby -r bundler/setup -r only_test app.rb", needs: [install] }
image:
  entrypoint: [ruby, app.rb]
`;
  const { cwd, image } = makeRepository(
    'configured',
    {
      '.bundle/config':
        '---\nBUNDLE_PATH: "./lib"\nBUNDLE_GEMS__CORP__EXAMPLE: "ada:secret"\nBUNDLE_WITHOUT: "nobody"\n',
      Gemfile: `${source}gem 'native'\ngroup :test do\n  gem 'only_test'\nend\n`,
      'lib/ruby/shop.rb': 'puts "shop"\n',
      'app.rb': 'require "bundler/setup"\nrequire "native/native"\nload "lib/ruby/shop.rb"\nputs Native.answer\n',
      ...native,
      'gems/only_test/only_test.gemspec': gemspec(
        'only_test',
        "  spec.version = '1.0.0'\n  spec.files = ['only_test.rb']\n  spec.require_path = '.'\n",
      ),
      'gems/only_test/only_test.rb': 'puts "testing"\n',
    },
    more,
  );
  for (const [task, says] of [
    ['vendor', ''],
    ['test', 'testing\nshop\n42\n'],
  ] as const) {
    const { exitCode, stdout, stderr } = await cli.run(['run', task], { cwd });
    expect([exitCode, stdout], stderr).toEqual([0, expect.stringContaining(says)]);
  }
  expect(existsSync(join(cwd, 'lib/ruby/3.1.0/gems/native-1.0.0'))).toBe(true);
  commitAll(cwd, 'vendored and locked');
  expect(git(cwd, 'ls-files', 'lib')).toBe('lib/ruby/shop.rb');
  const clone = `${cwd}-clone`;
  git('/', 'clone', '-q', cwd, clone);
  const [made, again] = [await release(cwd), await release(clone)];
  expect(again.imageId).toBe(made.imageId);
  expect([git(cwd, 'status', '--porcelain'), git(clone, 'status', '--porcelain')]).toEqual(['', '']);
  const script =
    'cd /app && ruby app.rb; cat .bundle/config; ls -A lib/ruby lib/ruby/3.1.0/gems; ls lib/ruby/3.1.0/gems/native-1.0.0/ext/native';
  expect(await runScript(client, `${image}:1.0.0`, script)).toMatchInlineSnapshot(`
    "shop
    42
    ---
    BUNDLE_PATH: "lib"
    BUNDLE_WITHOUT: "development:test:nobody"
    lib/ruby:
    3.1.0
    shop.rb

    lib/ruby/3.1.0/gems:
    native-1.0.0
    extconf.rb
    native.c
    native.so
    "
  `);
});

test('a folder of gems outside of the repository is refused with what to write', async () => {
  const { cwd } = makeRepository('outside', { Gemfile: source, '.bundle/config': '---\nBUNDLE_PATH: "/opt/gems"\n' });
  const refused = await cli.run(['run', 'install'], { cwd });
  expect([refused.exitCode, `${refused.stdout}${refused.stderr}`]).toEqual([
    2,
    expect.stringContaining(
      'install-gems: .bundle/config says BUNDLE_PATH: /opt/gems, but gems outside of the repository do not come into its image\n' +
        'install-gems: write a folder of the repository there (vendor/bundle, say), or take that line out\n',
    ),
  ]);
  writeFileSync(join(cwd, '.bundle/config'), '---\nBUNDLE_PATH: "vendor/bundle"\n');
  expect((await cli.run(['run', 'install'], { cwd })).exitCode).toBe(0);
});
