import { join } from 'node:path';
import { createFixture } from 'fs-fixture';
import { expect, test } from 'vitest';
import { readCatalog } from '../../../src/toolchain/catalog/catalog.ts';
import { readChoices } from '../../../src/toolchain/detect/choices.ts';
import { findVersion } from '../../../src/toolchain/detect/find-version.ts';
import { errorOf } from '../../support/assert/error-of.ts';

const catalog = await readCatalog([join(import.meta.dirname, '../../../images')]);

type Files = Record<string, string>;

async function find(name: string, files: Files) {
  await using repository = await createFixture(files);
  const { data } = catalog.find(name)!;
  return findVersion(repository.path, data, readChoices(repository.path, data));
}

const say = async (name: string, files: Files) => {
  const found = await find(name, files);
  return found === undefined ? 'nothing' : `${found.value}: ${found.because}`;
};

const pom = (text: string, more: Files = {}) => ({ 'pom.xml': `<project>${text}</project>`, ...more });
const properties = (text: string, more: Files = {}) => pom(`<properties>${text}</properties>`, more);
const of = (name: string) => `\${${name}}`;
const enforcer = (version: string) =>
  `<rules><requireJavaVersion><message>no</message><version>${version}</version></requireJavaVersion></rules>`;
const gradle = (text: string, more: Files = {}) => ({ 'build.gradle.kts': text, ...more });
const wrapper = (version: string) => ({
  'gradle/wrapper/gradle-wrapper.properties': `distributionUrl=https\\://services.gradle.org/distributions/gradle-${version}-bin.zip\n`,
});
const json = (value: object, more: Files = {}) => ({ 'package.json': JSON.stringify(value), ...more });
const other = (name: string) => `, which the catalog does not have: ${name} is taken, the nearest that is not older`;

test.each<[Files, string]>([
  [{ '.sdkmanrc': 'java=21.3.0.r17-grl\n' }, '17: .sdkmanrc asks for 17 (21.3.0.r17-grl)'],
  [{ '.sdkmanrc': 'java = 22.3.5.r17-nik # x' }, '17: .sdkmanrc asks for 17 (22.3.5.r17-nik)'],
  [{ '.sdkmanrc': 'java=17.0.9-graalce\n' }, '17: .sdkmanrc asks for 17 (17.0.9-graalce)'],
  [{ 'system.properties': '# of Heroku\njava.runtime.version=25\n' }, '25: system.properties asks for 25'],
  [{ '.sdkmanrc': 'java=21.0.4-tem\n' }, '21: .sdkmanrc asks for 21 (21.0.4-tem)'],
  [{ '.sdkmanrc': 'java=8.0.392-zulu\n' }, `11: .sdkmanrc asks for 8 (8.0.392-zulu)${other('jvm 11')}`],
  [{ '.java-version': 'openjdk64-17.0.9\n' }, '17: .java-version asks for 17 (openjdk64-17.0.9)'],
  [{ '.java-version': 'temurin-21' }, '21: .java-version asks for 21 (temurin-21)'],
  [{ '.java-version': '17.0' }, '17: .java-version asks for 17 (17.0)'],
  [{ '.java-version': '1.8' }, `11: .java-version asks for 8 (1.8)${other('jvm 11')}`],
  [{ '.java-version': 'oracle64-1.8.0.31' }, `11: .java-version asks for 8 (oracle64-1.8.0.31)${other('jvm 11')}`],
  [{ '.java-version': 'zulu-11.50.19' }, '11: .java-version asks for 11 (zulu-11.50.19)'],
  [
    { '.java-version': 'semeru-openj9-17.0.5+8_openj9-0.35.0' },
    '17: .java-version asks for 17 (semeru-openj9-17.0.5+8_openj9-0.35.0)',
  ],
  [{ '.tool-versions': 'java graalvm-22.3.1+java17\n' }, '17: .tool-versions asks for 17 (graalvm-22.3.1+java17)'],
  [{ '.tool-versions': 'java oracle-graalvm-21.0.1\n' }, '21: .tool-versions asks for 21 (oracle-graalvm-21.0.1)'],
  [{ '.tool-versions': 'java liberica-full-17.0.9+11\n' }, '17: .tool-versions asks for 17 (liberica-full-17.0.9+11)'],
  [{ '.mise.toml': '[tools]\njava = "corretto-21.0.5"\n' }, '21: .mise.toml asks for 21 (corretto-21.0.5)'],
  [{ 'mise.toml': '[tools]\njava = ["17", "21"]\n' }, '17: mise.toml asks for 17'],
  [{ '.java-version': 'system' }, 'nothing'],
  [{ '.java-version': '20' }, `21: .java-version asks for 20${other('jvm 21')}`],
  [
    { '.java-version': 'graalvm64-21.3.0' },
    '^21: .java-version says graalvm64-21.3.0, which is not a version of JDK that gbuild knows: ^21 is taken',
  ],
  [properties('<java.version>17</java.version>'), '17: pom.xml asks for 17'],
  [
    properties(`<java.version>1.8</java.version><maven.compiler.source>${of('java.version')}</maven.compiler.source>`),
    `11: pom.xml asks for 8 (1.8)${other('jvm 11')}`,
  ],
  [
    properties(`<my.java>17</my.java><maven.compiler.release>${of('my.java')}</maven.compiler.release>`),
    '17: pom.xml asks for 17',
  ],
  [properties(`<maven.compiler.release>${of('of.the.parent')}</maven.compiler.release>`), 'nothing'],
  [pom('<configuration><source>11</source><target>11</target></configuration>'), '11: pom.xml asks for 11'],
  [pom(enforcer('[17,)')), '^21: pom.xml asks for [17,)'],
  [pom(enforcer('[1.8,12)')), '11: pom.xml asks for [1.8,12)'],
  [pom(enforcer('25')), '25: pom.xml asks for 25'],
  [
    properties(
      '<maven.compiler.release>17</maven.compiler.release>',
      pom(`<properties><maven.compiler.release>17</maven.compiler.release></properties>${enforcer('[21,22)')}`),
    ),
    '21: pom.xml asks for 17, and pom.xml for [21,22): jvm 21 is taken, the nearest that is not older',
  ],
  [pom('<toolchains><jdk><version>17</version></jdk></toolchains>'), '17: pom.xml asks for 17'],
  [
    pom('<toolchains><jdk><vendor>openjdk</vendor><version>[17,18)</version></jdk></toolchains>'),
    '17: pom.xml asks for [17,18)',
  ],
  [
    pom(`<properties><jdk>25</jdk></properties><toolchains><jdk><version>${of('jdk')}</version></jdk></toolchains>`),
    '25: pom.xml asks for 25',
  ],
  // A profile asks only whoever turns it on.
  [
    pom('<profile><toolchains><jdk><version>1.8</version></jdk></toolchains></profile>'),
    `11: pom.xml asks for 8 (1.8)${other('jvm 11')}`,
  ],
  [
    properties('<java.version>17</java.version>', { '.mvn/jvm.config': '--sun-misc-unsafe-memory-access=allow\n' }),
    '25: pom.xml asks for 17, and .mvn/jvm.config for >=23 (--sun-misc-unsafe-memory-access): jvm 25 is taken, the nearest that is not older',
  ],
  [
    pom('', { '.mvn/jvm.config': '-Xmx1g -XX:MaxPermSize=256m' }),
    '11: .mvn/jvm.config asks for <17 (-XX:MaxPermSize=)',
  ],
  [
    gradle('java { toolchain { languageVersion.set(JavaLanguageVersion.of(17)) } }'),
    '17: build.gradle.kts asks for 17',
  ],
  [gradle('kotlin { jvmToolchain(17) }'), '17: build.gradle.kts asks for 17'],
  [
    gradle('', { 'app/build.gradle.kts': 'languageVersion = JavaLanguageVersion.of(25)' }),
    '25: app/build.gradle.kts asks for 25',
  ],
  [
    gradle('java.sourceCompatibility = JavaVersion.VERSION_1_8'),
    `11: build.gradle.kts asks for 8 (1_8)${other('jvm 11')}`,
  ],
  [gradle('tasks.withType<JavaCompile> { options.release.set(11) }'), '11: build.gradle.kts asks for 11'],
  [
    gradle('', { 'gradle/gradle-daemon-jvm.properties': 'toolchainVersion=17\n' }),
    '17: gradle/gradle-daemon-jvm.properties asks for 17',
  ],
  [gradle('', wrapper('7.6.4')), '17: gradle/wrapper/gradle-wrapper.properties asks for <21 (/gradle-7.6.4-)'],
  [gradle('', wrapper('8.14')), '^21: gradle/wrapper/gradle-wrapper.properties asks for <25 (/gradle-8.14-)'],
])('a Java repository with %j is %s', async (files, meant) => {
  expect(await say('jvm', files)).toBe(meant);
});

const strict = { '.npmrc': 'engine-strict=true\n' };

test.each<[Files, string]>([
  [json({ engines: { node: '>=18' } }), '>=18: package.json (engines.node) asks for >=18'],
  [{ '.nvmrc': 'lts/gallium\n' }, `^18: .nvmrc asks for lts/gallium${other('node 18.20.8')}`],
  [{ '.nvmrc': 'lts/*\n' }, '^24: .nvmrc asks for lts/*'],
  [{ '.nvmrc': 'lts/-1' }, '^22: .nvmrc asks for lts/-1'],
  [{ '.nvmrc': 'node' }, '*: .nvmrc asks for node'],
  [{ '.nvmrc': 'stable' }, '*: .nvmrc asks for stable'],
  [{ '.nvmrc': 'v16.20.2' }, `^18: .nvmrc asks for v16.20.2${other('node 18.20.8')}`],
  [{ '.nvmrc': '17' }, `^18: .nvmrc asks for 17${other('node 18.20.8')}`],
  [{ '.node-version': 'v22.1.0 # why\n' }, '22.1.0: .node-version asks for v22.1.0'],
  [{ '.node-version': '23' }, '23: .node-version asks for 23'],
  [{ '.node-version': '~22.24.0' }, `^24: .node-version asks for ~22.24.0${other('node 24.21.0')}`],
  [{ '.tool-versions': 'nodejs system\n' }, 'nothing'],
  [{ 'mise.toml': 'node = { version = "22" }\n' }, '22: mise.toml asks for 22'],
  [json({ volta: { node: '20.9.0' }, engines: { node: '>=22' } }), '20.9.0: package.json (volta.node) asks for 20.9.0'],
  [
    json({ devEngines: { runtime: { name: 'node', version: '^22' } } }),
    '^22: package.json (devEngines.runtime.version) asks for ^22',
  ],
  [
    json({
      devEngines: {
        runtime: [
          { name: 'bun', version: '^1' },
          { name: 'node', version: '^22' },
        ],
      },
    }),
    '^22: package.json (devEngines.runtime.version) asks for ^22',
  ],
  [json({ devEngines: { runtime: { name: 'bun', version: '^1' } } }), 'nothing'],
  [
    json({ engines: { node: '>=22' } }, { '.nvmrc': '20', ...strict }),
    '^22: .nvmrc asks for 20, and package.json (engines.node) for >=22: node 22.23.3 is taken, the nearest that is not older',
  ],
  [json({ engines: { node: '>=22' } }, { '.nvmrc': '20' }), '20: .nvmrc asks for 20'],
  [
    json({ engines: { node: 'whatever' } }),
    '^24: package.json (engines.node) says whatever, which is not a version of Node.js that gbuild knows: ^24 is taken',
  ],
  [json({}), 'nothing'],
])('a Node repository with %j is %s', async (files, meant) => {
  expect(await say('node', files)).toBe(meant);
});

test.each<[Files, string]>([
  [
    { '.ruby-version': 'ruby-3.2.6\n', Gemfile: 'ruby file: ".ruby-version"\n' },
    `3.3: .ruby-version asks for 3.2 (ruby-3.2.6)${other('ruby 3.3')}`,
  ],
  [{ '.ruby-version': '3.3.0@gemset\n' }, '3.3: .ruby-version asks for 3.3 (3.3.0)'],
  [{ Gemfile: "ruby '~> 3.1.0'" }, '3.1: Gemfile asks for ~> 3.1.0'],
  [{ Gemfile: 'ruby "~> 3.2"' }, '3.3: Gemfile asks for ~> 3.2'],
  [{ Gemfile: 'ruby ">= 2.7", "< 3.2"' }, '3.1: Gemfile asks for >= 2.7, < 3.2'],
  [{ Gemfile: 'ruby("3.3.14")' }, '3.3: Gemfile asks for 3.3.14'],
  // An update of the suite may bring it.
  [{ Gemfile: 'ruby ">= 3.3.15"' }, '3.3: Gemfile asks for >= 3.3.15'],
  [
    { Gemfile: 'ruby "~> #{File.read(".ruby-version")}"', '.ruby-version': '3.3.0' },
    '3.3: .ruby-version asks for 3.3 (3.3.0)',
  ],
  [
    { Gemfile: 'ruby "~> 3.3.0"', '.ruby-version': '3.1.4' },
    '3.3: .ruby-version asks for 3.1 (3.1.4), and Gemfile for ~> 3.3.0: ruby 3.3 is taken, the nearest that is not older',
  ],
  [{ 'Gemfile.lock': 'RUBY VERSION\n   ruby 3.3.6p108\n' }, '3.3: Gemfile.lock asks for 3.3 (3.3.6p108)'],
  [{ 'a.gemspec': 's.required_ruby_version = ">= 2.7", "< 3.2"' }, '3.1: a.gemspec asks for >= 2.7, < 3.2'],
  [{ Gemfile: 'source "x"' }, 'nothing'],
])('a Ruby repository with %j is %s', async (files, meant) => {
  expect(await say('ruby', files)).toBe(meant);
});

test('what a tool itself would refuse, and what nothing newer serves, is refused with the file and what to write', async () => {
  const refused = await Promise.all([
    errorOf(() => find('ruby', { Gemfile: 'ruby "3.3.6"\n' })),
    errorOf(() => find('ruby', { Gemfile: 'ruby "3.3.6"\n', '.ruby-version': '3.3.6' })),
    errorOf(() => find('ruby', { Gemfile: 'ruby "3.2.2"\n' })),
    errorOf(() => find('ruby', { '.ruby-version': '3.4.1' })),
    errorOf(() => find('sbt', { 'project/build.properties': 'sbt.version=2.0.3\n' })),
    errorOf(() => find('node', json({ engines: { node: '^99' } }))),
    errorOf(() => find('jvm', pom(enforcer('[27,)')))),
    errorOf(() => find('jvm', pom('<toolchains><jdk><version>1.8</version></jdk></toolchains>'))),
    errorOf(() => find('jvm', pom('<toolchains><jdk><version>[9,11)</version></jdk></toolchains>'))),
  ]);
  expect(refused).toMatchInlineSnapshot(`
    [
      {
        "code": "toolchain-unknown",
        "message": "Gemfile asks for Ruby 3.3.6, and the catalog does not have it; the nearest is 3.3.14",
        "suggestions": [
          "write: ruby "~> 3.3.6" in Gemfile, then where Gemfile.lock names a Ruby: echo "bundle update --ruby" | gbuild shell",
          "gbuild toolchain ls --available",
        ],
      },
      {
        "code": "toolchain-unknown",
        "message": "Gemfile asks for Ruby 3.3.6, and the catalog does not have it; the nearest is 3.3.14",
        "suggestions": [
          "write: ruby "~> 3.3.6" in Gemfile, then where Gemfile.lock names a Ruby: echo "bundle update --ruby" | gbuild shell",
          "gbuild toolchain ls --available",
        ],
      },
      {
        "code": "toolchain-unknown",
        "message": "Gemfile asks for Ruby 3.2.2, and the catalog does not have it; the nearest is 3.3.14",
        "suggestions": [
          "write: ruby "~> 3.3.14" in Gemfile, then where Gemfile.lock names a Ruby: echo "bundle update --ruby" | gbuild shell",
          "gbuild toolchain ls --available",
        ],
      },
      {
        "code": "toolchain-unknown",
        "message": ".ruby-version asks for Ruby 3.4 (3.4.1), and the catalog does not have it; the nearest is 3.3.14",
        "suggestions": [
          "gbuild init --toolchain ruby@3.3",
          "gbuild toolchain ls --available",
        ],
      },
      {
        "code": "toolchain-unknown",
        "message": "project/build.properties asks for sbt 2.0.3, and the catalog does not have it; the nearest is 1.12.14",
        "suggestions": [
          "write "sbt.version=1.12.14" in project/build.properties",
          "gbuild toolchain ls --available",
        ],
      },
      {
        "code": "toolchain-unknown",
        "message": "package.json (engines.node) asks for Node.js ^99, and the catalog does not have it; the nearest is 26.12.0",
        "suggestions": [
          "gbuild init --toolchain node@^26",
          "gbuild toolchain ls --available",
        ],
      },
      {
        "code": "toolchain-unknown",
        "message": "pom.xml asks for JDK [27,), and the catalog does not have it; the nearest is 26",
        "suggestions": [
          "gbuild init --toolchain jvm@26",
          "gbuild toolchain ls --available",
        ],
      },
      {
        "code": "toolchain-unknown",
        "message": "pom.xml asks for JDK 8 (1.8), and the catalog does not have it; the nearest is 11",
        "suggestions": [
          "write below <toolchains><jdk> in pom.xml: <version>[11,)</version>",
          "gbuild toolchain ls --available",
        ],
      },
      {
        "code": "toolchain-unknown",
        "message": "pom.xml asks for JDK [9,11), and the catalog does not have it; the nearest is 11",
        "suggestions": [
          "write below <toolchains><jdk> in pom.xml: <version>[11,)</version>",
          "gbuild toolchain ls --available",
        ],
      },
    ]
  `);
});

test('any release of sbt 1 may be asked for', async () => {
  expect(await say('sbt', { 'project/build.properties': 'sbt.version=1.11.3\n' })).toBe(
    '1.11.3: project/build.properties asks for 1.11.3',
  );
});
