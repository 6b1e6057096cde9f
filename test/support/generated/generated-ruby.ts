import fc from 'fast-check';
import type { GeneratedRepository } from './generated-suite.ts';

/** Gem with the source of its gemspec's version, and the files that the gemspec lists. */
interface Gem {
  dir: string;
  version: 'written' | 'VERSION' | 'version.rb';
  files: 'globbed' | 'asked of git' | 'none';
  isRequired: boolean;
}

interface Layout {
  gems: Gem[];
  isGem: boolean;
  readsVersionFile: boolean;
  hasLock: boolean;
  data: string[];
  outputs: string[];
  start: 'Procfile' | 'Procfile without Bundler';
  program: 'app.rb' | 'bin/serve.rb';
  ignores: boolean;
}

const gem = fc.record({
  dir: fc.constantFrom('gems', 'engines', 'vendor/gems'),
  version: fc.constantFrom<Gem['version']>('written', 'VERSION', 'version.rb'),
  files: fc.constantFrom<Gem['files']>('globbed', 'asked of git', 'none'),
  isRequired: fc.boolean(),
});

const layouts: fc.Arbitrary<Layout> = fc.record({
  gems: fc.array(gem, { maxLength: 3 }).map((all) => all.map((each, at) => ({ ...each, dir: `${each.dir}/g${at}` }))),
  isGem: fc.boolean(),
  readsVersionFile: fc.boolean(),
  // A release without a lock is refused.
  hasLock: fc.integer({ min: 0, max: 7 }).map((number) => number > 0),
  data: fc.uniqueArray(
    fc.constantFrom('locales/de.yml', 'config/app.json', 'views/a b.erb', '.data/seed', 'lib/tasks/x.rake'),
    { maxLength: 3 },
  ),
  outputs: fc.uniqueArray(fc.constantFrom('public/assets/app.css', 'made.json', 'lib/generated/a.rb', 'out/deep/x'), {
    maxLength: 3,
  }),
  start: fc.constantFrom<Layout['start']>('Procfile', 'Procfile without Bundler'),
  program: fc.constantFrom<Layout['program']>('app.rb', 'bin/serve.rb'),
  ignores: fc.boolean(),
});

/** Draws repositories of Ruby with their own gems; the same seed draws the same ones. */
export function drawRubyRepositories(count: number, seed: number): GeneratedRepository[] {
  return fc.sample(layouts, { numRuns: count, seed }).map(makeRepository);
}

function makeRepository(layout: Layout): GeneratedRepository {
  const { gems, isGem, readsVersionFile, data, outputs, program, start } = layout;
  const command = start === 'Procfile' ? `bundle exec ruby ${program}` : `ruby ${program}`;
  const ignored = [
    ...outputs.map((path) => `/${path}*`),
    '/mine/',
    ...(layout.ignores ? ['/vendor/bundle/', '/.bundle/'] : []),
  ];
  const files: Record<string, string> = {
    Gemfile: [
      "source 'https://gems.corp.example'",
      readsVersionFile ? 'ruby "~> #{File.read(File.join(__dir__, \'.ruby-version\')).strip}"' : '',
      isGem ? 'gemspec' : '',
      ...gems.map(({ dir }, at) => `gem 'g${at}', path: '${dir}'`),
      "group(:test) { gem 'rake' }",
    ].join('\n'),
    '.gitignore': `${ignored.join('\n')}\n`,
    Procfile: `web: ${command}\n`,
    [program]: formatProgram(layout),
    'tools/build.rb': formatBuild(layout),
  };
  if (readsVersionFile) files['.ruby-version'] = '3.1.0\n';
  if (isGem)
    Object.assign(
      files,
      makeGem('whole', '', { dir: '', version: 'VERSION', files: 'asked of git', isRequired: true }),
    );
  for (const [at, each] of gems.entries()) Object.assign(files, makeGem(`g${at}`, `${each.dir}/`, each));
  for (const path of data) files[path] = `data of ${path}`;
  return {
    title: `${gems.length} gems, ${isGem ? 'a gem itself, ' : ''}${layout.hasLock ? 'with' : 'without'} a lock, ${start}`,
    layout,
    toolchain: 'ruby@3.1',
    files,
    left: { 'mine/notes.txt': '', ...Object.fromEntries(outputs.map((path) => [`${path}.old`, 'old'])) },
    command,
    tasks: '  build: {run: ruby tools/build.rb, needs: [install]}\n',
    ...(layout.hasLock && { relock: 'bundle lock --local' }),
  };
}

function makeGem(name: string, dir: string, { version, files }: Gem): Record<string, string> {
  const module = name.toUpperCase();
  const versions = {
    written: "'1.0.0'",
    VERSION: "File.read(File.join(__dir__, 'VERSION')).strip",
    'version.rb': `${module}::VERSION`,
  };
  const listed = { globbed: "Dir['lib/**/*']", 'asked of git': '`git ls-files -z`.split("\\0")', none: '[]' };
  return {
    [`${dir}${name}.gemspec`]: `${version === 'version.rb' ? `require_relative 'lib/${name}/version'\n` : ''}Gem::Specification.new do |spec|
  spec.name = '${name}'
  spec.version = ${versions[version]}
  spec.summary = 'A gem of the test'
  spec.authors = ['Ada']
  spec.files = ${listed[files]}
end
`,
    [`${dir}lib/${name}.rb`]: `module ${module}; WHO = '${name}'; end\n`,
    ...(version === 'VERSION' && { [`${dir}VERSION`]: '1.2.3\n' }),
    ...(version === 'version.rb' && { [`${dir}lib/${name}/version.rb`]: `module ${module}; VERSION = '0.9.0'; end\n` }),
  };
}

function formatBuild({ outputs }: Layout): string {
  return `require 'fileutils'
${JSON.stringify(outputs)}.each { |path| FileUtils.mkdir_p(File.dirname(path)); File.write(path, "built #{path}") }
`;
}

/**
 * Formats the program, which prints its findings: it reads everything committed or built, and would notice a person's
 * leftovers.
 */
function formatProgram({ gems, isGem, data, outputs, program, start }: Layout): string {
  const names = [...gems.flatMap(({ isRequired }, at) => (isRequired ? [`g${at}`] : [])), ...(isGem ? ['whole'] : [])];
  const required = start === 'Procfile' ? names : [];
  return `require 'json'
top = File.expand_path('${program.includes('/') ? '..' : '.'}', __dir__)
answer = {
  version: RUBY_VERSION,
  gems: ${JSON.stringify(required)}.map { |name| begin; require name; [Object.const_get(name.upcase)::WHO, Gem.loaded_specs[name].version.to_s]; rescue LoadError => e; e.message; end },
  files: ${JSON.stringify([...data, ...outputs, 'Gemfile'])}.map { |path| File.read(File.join(top, path)) rescue 'missing' },
  left: ${JSON.stringify(['mine/notes.txt', ...outputs.map((path) => `${path}.old`)])}.select { |path| File.exist?(File.join(top, path)) },
}
puts JSON.generate(answer)
`;
}
