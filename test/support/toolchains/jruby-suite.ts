import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { type Cli, commitAll, openCli } from '../cli/cli.ts';
import { removeContainer, removeRepository, startContainer } from '../engines/engine-images.ts';
import { askUntilUp } from '../network/ask-until-up.ts';

/** Commits, tests without a network and with JRuby's quick start, releases and sends a request to the image. */
export async function releaseAndAsk(cli: Cli, cwd: string, name: string, passes: string) {
  const engine = inject('engineHost');
  const spec = readFileSync(join(cwd, 'gbuild.yml'), 'utf8');
  writeFileSync(join(cwd, 'gbuild.yml'), `${spec}network: none\nenv: { JRUBY_OPTS: --dev }\n`);
  commitAll(cwd, 'locked');
  const tested = await cli.run(['test'], { cwd });
  expect([tested.exitCode, tested.stdout], tested.stderr).toEqual([0, expect.stringContaining(passes)]);
  const { exitCode, stdout, stderr } = await cli.run(['image', '--release', '1.0.0', '--json'], { cwd });
  expect(exitCode, `${stdout}${stderr}`).toBe(0);
  const { id, port } = await startContainer(engine, `${name}:1.0.0`, '8080/tcp');
  try {
    const answer = await askUntilUp(`http://127.0.0.1:${port}/`, 60);
    const layers = (JSON.parse(stdout) as ImageRecord).layers.map((layer) => layer.name.replace('gbuild layer: ', ''));
    return { layers, answer };
  } finally {
    await removeContainer(engine, id);
  }
}

const gemspec = (gem: string, more = '') =>
  `Gem::Specification.new do |spec|\n  spec.name = '${gem}'\n  spec.version = '1.0.0'\n  spec.summary = 'A gem of the test'\n  spec.authors = ['Ada']\n  spec.license = 'MIT'\n  spec.files = Dir['lib/**/*', 'ext/**/*']\n${more}end\n`;

const server = `require 'hello'
require 'json'
gems = Dir['vendor/bundle/jruby/*/gems/*'].map { |path| File.basename(path) }
server = com.sun.net.httpserver.HttpServer.create(java.net.InetSocketAddress.new(8080), 0)
server.create_context('/') do |exchange|
  body = JSON.generate(says: Hello.text, gems: gems, version: JRUBY_VERSION).to_java_bytes
  exchange.send_response_headers(200, body.length)
  exchange.response_body.write(body)
  exchange.close
end
server.start
sleep
`;

/** Tests vendored gems with JRuby of a line, such as `9.4`. */
export function describeVendoredGems(line: string): void {
  const cli = openCli({ engine: inject('engineHost') });
  const name = `e2e-jruby-${line}-${process.pid}`;
  afterAll(async () => {
    await removeRepository(inject('engineHost'), name);
    cli[Symbol.dispose]();
  });

  test('vendored gems are installed for JRuby without a network, and shipped without those of tests', {
    timeout: 600_000,
  }, async () => {
    const spec = `gbuild: 1
name: ${name}
toolchain: jruby@${line}
tasks:
  vendor: |
    mkdir -p vendor/cache
    for gem in hello only_test; do (cd gems/$gem && gem build --silent --output ../../vendor/cache/$gem-1.0.0.gem $gem.gemspec); done
  test:
    run: bundle exec ruby -e 'require "hello"; require "only_test"; puts "the test says " + Hello.text'
    needs: [install]
image:
  entrypoint: [bundle, exec, ruby, app.rb]
  expose: [8080]
`;
    const cwd = cli.repository('vendored', {
      'gbuild.yml': spec,
      '.gitignore': '/vendor/bundle/\n/.bundle/\n',
      Gemfile: "source 'https://gems.example.org'\n\ngem 'hello'\n\ngroup :test do\n  gem 'only_test'\nend\n",
      // Like gems that are faster with C and work without it.
      'gems/hello/hello.gemspec': gemspec('hello', "  spec.extensions = ['ext/hello/extconf.rb']\n"),
      'gems/hello/ext/hello/extconf.rb':
        "require 'mkmf'\nif RUBY_ENGINE == 'jruby'\n  File.write('Makefile', dummy_makefile($srcdir).join)\nelse\n  create_makefile('hello/hello')\nend\n",
      'gems/hello/lib/hello.rb': "module Hello\n  def self.text = 'hello'\nend\n",
      'gems/only_test/only_test.gemspec': gemspec('only_test'),
      'gems/only_test/lib/only_test.rb': 'module OnlyTest; end\n',
      'app.rb': server,
    });
    for (const task of ['vendor', 'install']) {
      const { exitCode, stdout, stderr } = await cli.run(['run', task], { cwd });
      expect(exitCode, `${stdout}${stderr}`).toBe(0);
    }
    expect(await releaseAndAsk(cli, cwd, name, 'the test says hello')).toEqual({
      layers: ['gems', 'application', 'settings'],
      answer: { says: 'hello', gems: ['hello-1.0.0'], version: expect.stringMatching(new RegExp(`^${line}\\.`)) },
    });
  });
}
