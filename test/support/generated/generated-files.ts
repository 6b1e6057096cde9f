import fc from 'fast-check';

const versions = [
  '18',
  '>=18',
  '^22',
  '24.x',
  'lts/*',
  'latest',
  '',
  '0.0.1',
  '21.0.1',
  '3.3.6',
  '~> 3.3',
  '17',
  '1.8',
  'nonsense',
  '\n\n',
  '999',
];
const commands = [
  'node server.js',
  'npm run start:prod',
  'nest start',
  'NODE_ENV=x node a.js',
  'next start',
  'vite',
  './run.sh',
  '',
  'yarn run x',
  'a && b',
  'cross-env A=1 node x',
];
const usual = ['18', '>=18', '^22', '24.x', '21', '17', '3.3'];
const version = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...usual) },
  { weight: 1, arbitrary: fc.constantFrom(...versions) },
);
const command = fc.constantFrom(...commands);
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });

const packageJson = fc
  .record({
    name: optional(fc.constantFrom('shop', '@acme/shop', 'With Space', '', 'ümlaut')),
    version: optional(version),
    main: optional(fc.constantFrom('server.js', 'dist/main', './index.js', 'nowhere.js', '')),
    scripts: optional(
      fc.record({
        start: optional(command),
        'start:prod': optional(command),
        build: optional(command),
        test: optional(command),
        lint: optional(command),
      }),
    ),
    engines: optional(fc.record({ node: optional(version), npm: optional(version), pnpm: optional(version) })),
    packageManager: optional(
      fc.constantFrom(
        'npm@11.6.2',
        'pnpm@10.33.0',
        'yarn@4.9.2',
        'yarn@1.22.22',
        'bun@1.2.0',
        'npm',
        'pnpm@latest',
        'x',
      ),
    ),
    devEngines: optional(
      fc.constantFrom({ runtime: { name: 'node', version: '^22' } }, { packageManager: [{ name: 'pnpm' }] }, {}, 'x'),
    ),
    workspaces: optional(fc.constantFrom(['packages/*'], { packages: ['packages/*'] }, [], 'packages/*')),
    dependencies: optional(fc.constantFrom({ ms: '2.1.3' }, {}, { a: 'file:a' })),
    type: optional(fc.constantFrom('module', 'commonjs')),
  })
  .map((value) => JSON.stringify(value));

const pom = fc
  .record({
    java: version,
    packaging: fc.constantFrom('jar', 'war', 'pom'),
    id: fc.constantFrom('shop', '$' + '{x}', ''),
  })
  .map(
    ({ java, packaging, id }) =>
      `<project><artifactId>${id}</artifactId><packaging>${packaging}</packaging><properties><maven.compiler.release>${java}</maven.compiler.release></properties></project>`,
  );

const broken = fc.constantFrom('', '{', '\ufeff{}', '[]', 'null', '<project', '\u0000', 'true', '"x"');

const kinds: Record<string, fc.Arbitrary<string>> = {
  'package.json': fc.oneof({ weight: 5, arbitrary: packageJson }, broken),
  'package-lock.json': fc.constantFrom('{"lockfileVersion": 3, "packages": {}}', '{'),
  'pnpm-lock.yaml': fc.constantFrom("lockfileVersion: '9.0'\n", "lockfileVersion: '6.0'\n", ''),
  'pnpm-workspace.yaml': fc.constantFrom('packages: [packages/*]\n', 'packages:\n  - x\n', ':'),
  'yarn.lock': fc.constantFrom('# yarn lockfile v1\n', '__metadata:\n  version: 8\n', ''),
  '.yarnrc.yml': fc.constantFrom('nodeLinker: node-modules\n', 'nodeLinker: pnp\n', 'enableGlobalCache: false\n', ''),
  '.npmrc': fc.constantFrom('engine-strict=true\n', 'cache=/x\n', ''),
  '.nvmrc': version,
  '.node-version': version,
  '.tool-versions': version.map((text) => `nodejs ${text}\nruby ${text}\njava temurin-${text}\n`),
  'mise.toml': version.map((text) => `[tools]\nnode = "${text}"\nruby = '${text}'\njava = "${text}"\n`),
  'server.js': fc.constant(''),
  'packages/a/package.json': fc.oneof(packageJson, broken),
  'pom.xml': fc.oneof({ weight: 5, arbitrary: pom }, broken),
  mvnw: fc.constant('#!/bin/sh\n'),
  gradlew: fc.constant('#!/bin/sh\n'),
  'build.gradle': fc.constantFrom("plugins { id 'application' }\n", 'x', ''),
  'settings.gradle.kts': fc.constantFrom('rootProject.name = "shop"\n', ''),
  '.java-version': version,
  '.sdkmanrc': version.map((text) => `java=${text}-tem\n`),
  'build.sbt': fc.constantFrom('name := "shop"\n', 'enablePlugins(JavaAppPackaging)\n', ''),
  'project/build.properties': version.map((text) => `sbt.version=1.${text}\n`),
  Gemfile: version.map((text) => `source "https://rubygems.example"\nruby "${text}"\ngem "rake"\n`),
  'Gemfile.lock': fc.constantFrom('GEM\n  specs:\n    rake (13.2.1)\n', ''),
  '.ruby-version': version,
  'shop.gemspec': fc.constant('Gem::Specification.new { |s| s.name = "shop" }\n'),
  Rakefile: fc.constant('task :default\n'),
  'config.ru': fc.constant('run ->(env) { [200, {}, []] }\n'),
  Procfile: fc.constantFrom('web: bundle exec puma -p $PORT\n', 'web: node server.js\n', 'x', ''),
  Dockerfile: fc.constant('FROM scratch\n'),
  'README.md': fc.constant(''),
};

/**
 * Draws the files of repositories: of one kind, of several together, broken and odd ones. The same seed draws the same
 * files.
 */
export function drawFiles(count: number, seed: number): Record<string, string>[] {
  const names = fc.subarray(Object.keys(kinds), { minLength: 1, maxLength: 7 });
  const files = names.chain((chosen) => fc.record(Object.fromEntries(chosen.map((name) => [name, kinds[name]!]))));
  return fc.sample(files, { numRuns: count, seed });
}
