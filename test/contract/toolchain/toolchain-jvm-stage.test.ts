import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { connectEngine, type Engine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { runScript } from '../../support/engines/run-script.ts';
import { ensureFromCatalog } from '../../support/toolchains/toolchain-catalog.ts';

let engine: Engine;
let image: string;

beforeAll(async () => {
  engine = connectEngine(endpointOf(inject('engineHost')), { owner: readOwner(), runId: `stage-${process.pid}` });
  image = (await ensureFromCatalog(engine, 'jvm', '21')).build.reference;
});
afterAll(() => engine.close());

/**
 * Functions for scripts in the image: class NAME STATEMENT; jar FILE CLASS... with the manifest of standard input; depends JAR..., what
 * the build tool says of the class path, by a wrapper that has to be called by a path; start, as an image does.
 */
const functions = `
cd "$(mktemp -d)" && mkdir -p classes
class() { echo "package example; public class $1 { $2 }" > $1.java; }
main() { class $1 "public static void main(String[] args) throws Exception { $2 }"; }
jar() {
  if ls *.java > /dev/null 2>&1; then javac -J-XX:TieredStopAtLevel=1 -d classes *.java && rm *.java; fi
  case "$1" in /*) to=$1 ;; *) to=$PWD/$1 ;; esac; shift; mkdir -p "\${to%/*}"; cat > manifest
  for each; do set -- "$@" "example/$each.class"; shift; done
  (cd classes && command jar cfm "$to" ../manifest "$@")
}
depends() { printf '[ "$0" != mvnw ] || exit 9; for each; do case "$each" in -Dmdep.outputFile=*) printf %%s "%s" > "\${each#*=}" ;; esac; done\\n' "$(echo "$@" | tr ' ' :)" > mvnw; }
project() { mkdir -p "\${1:-.}" && echo '<project/>' > "\${1:-.}/pom.xml"; }
layers() { (cd target/gbuild && find . -type f | sort | sed 's|^./||'); }
start() { rm -rf /app && mkdir /app && cp -r \${1:-target}/gbuild/*/. /app/ && (cd / && java @/app/app.args 2>&1); }
project
depends
`;
const run = (script: string) => runScript(engine, image, `${functions}\nexec 2>&1\n${script}`);

/** Prints what a started application sees of its manifest and of its class path. */
const says = `System.out.println(Main.class.getPackage().getImplementationVersion() + " " + System.getProperty("java.class.path"));
  String.class.getDeclaredField("value").setAccessible(true);`;
const manifest = 'Main-Class: example.Main\\nImplementation-Version: 1.4.2\\nAdd-Opens: java.base/java.lang\\n';
const library = (name: string) => `class ${name} 'public static String text() { return "${name} "; }'`;

describe('an application is started as the tool starts it that built it', { timeout: 120_000 }, () => {
  test('a jar that needs no other by -jar, so that all attributes of its manifest hold', async () => {
    const script = `main Main '${says}'
printf '${manifest}' | jar target/shop-1.jar Main
jvm-stage && layers && start`;
    expect(await run(script)).toMatchInlineSnapshot(`
      "application/app.args
      application/shop-1.jar
      application/start
      1.4.2 /app/shop-1.jar
      "
    `);
  });

  test('a jar whose manifest names others by -jar, with these at the places that it names', async () => {
    const script = `${library('Library')}; ${library('Other')}
main Main '${says} System.out.println(Library.text() + Other.text());'
printf '' | jar /tmp/cache/library-2.jar Library
printf '' | jar target/libs/other.jar Other
depends /tmp/cache/library-2.jar
printf '${manifest}Class-Path: lib/library-2.jar libs/other.jar gone.jar\\n' | jar target/shop-1.jar Main
jvm-stage && layers && start`;
    expect(await run(script)).toMatchInlineSnapshot(`
      "application/app.args
      application/shop-1.jar
      application/start
      dependencies/lib/library-2.jar
      dependencies/libs/other.jar
      1.4.2 /app/shop-1.jar
      Library Other 
      "
    `);
  });

  test('a jar that needs others by the class path of the build, its manifest being obeyed as far as options can', async () => {
    const script = `${library('Library')}; ${library('Module')}; ${library('Snapshot')}; ${library('Other')}
main Main '${says} System.out.println(Library.text() + Module.text() + Snapshot.text());'
project core
printf '' | jar /tmp/cache/a/library-2.jar Library
printf '' | jar core/target/core-1.jar Module
printf '' | jar /tmp/cache/b/library-2.jar Other
printf '' | jar /tmp/cache/snapshot-1-SNAPSHOT.jar Snapshot
depends /tmp/cache/a/library-2.jar $PWD/core/target/core-1.jar /tmp/cache/b/library-2.jar /tmp/cache/snapshot-1-SNAPSHOT.jar
printf '${manifest}' | jar target/shop-1.jar Main
jvm-stage && layers && start
printf '${manifest}Launcher-Agent-Class: example.Agent\\n' | jar target/shop-1.jar Main
jvm-stage || echo exit $?`;
    expect(await run(script)).toMatchInlineSnapshot(`
      "application/app.args
      application/shop-1.jar
      application/start
      dependencies/lib/2-library-2.jar
      dependencies/lib/library-2.jar
      snapshots/lib/core-1.jar
      snapshots/lib/snapshot-1-SNAPSHOT.jar
      1.4.2 /app/shop-1.jar:/app/lib/library-2.jar:/app/lib/core-1.jar:/app/lib/2-library-2.jar:/app/lib/snapshot-1-SNAPSHOT.jar
      Library Module Snapshot 
      stage: target/shop-1.jar names an agent in its manifest (Launcher-Agent-Class), which only \`java -jar\` starts: have the build write what the jar depends on into its manifest (Class-Path), or into the jar
      exit 2
      "
    `);
  });

  test('the jar that has its dependencies inside, beside the plain one, without any other', async () => {
    const script = `${library('Library')}
main Main '${says} System.out.println(Library.text());'
printf '' | jar /tmp/cache/library-2.jar Library
depends /tmp/cache/library-2.jar
printf '${manifest}' | jar target/shop-1.jar Main
printf '${manifest}' | jar target/shop-1-all.jar Main Library
printf '' | jar target/shop-1-sources.jar
jvm-stage && layers && start
echo shaded
rm target/*.jar
printf '' | jar target/original-shop-1.jar Main
printf '${manifest}' | jar target/shop-1.jar Main
jvm-stage && layers`;
    expect(await run(script)).toMatchInlineSnapshot(`
      "application/app.args
      application/shop-1-all.jar
      application/start
      1.4.2 /app/shop-1-all.jar
      Library 
      shaded
      application/app.args
      application/shop-1.jar
      application/start
      "
    `);
  });

  test("Quarkus' folder by its own jar", async () => {
    const script = `${library('Library')}
main Main '${says} System.out.println(Library.text());'
printf '' | jar target/shop-1.jar Main
printf '' | jar target/quarkus-app/lib/main/library-2.jar Library
printf '' | jar target/quarkus-app/app/shop-1.jar Main
printf '${manifest}Class-Path: app/shop-1.jar lib/main/library-2.jar\\n' | jar target/quarkus-app/quarkus-run.jar
jvm-stage && layers && start`;
    expect(await run(script)).toMatchInlineSnapshot(`
      "application/app.args
      application/app/shop-1.jar
      application/quarkus-run.jar
      application/start
      dependencies/lib/main/library-2.jar
      null /app/quarkus-run.jar
      Library 
      "
    `);
  });

  test("the distribution of Gradle's plugin application by its own script", async () => {
    const script = `rm pom.xml; touch build.gradle settings.gradle
${library('Library')}
main Main '${says} System.out.println(System.getProperty("mode") + " " + args[0]);'
printf '' | jar build/libs/shop-1.jar Main
mkdir -p shop-1/bin shop-1/lib build/distributions && cp build/libs/shop-1.jar shop-1/lib/
printf '' | jar shop-1/lib/library-2.jar Library
cat > shop-1/bin/shop << 'END'
#!/bin/sh
exec java -Dmode=production --add-opens java.base/java.lang=ALL-UNNAMED -cp "$(dirname "$0")/../lib/shop-1.jar" example.Main "$@"
END
chmod +x shop-1/bin/shop; touch shop-1/bin/shop.bat
tar -cf build/distributions/shop-1.tar shop-1
jvm-stage && cd build/gbuild && find . -type f | sort && mkdir /app && cp -r */. /app/ && cd / && /app/start word`;
    expect(await run(script)).toMatchInlineSnapshot(`
      "./application/bin/shop
      ./application/bin/shop.bat
      ./application/start
      ./dependencies/lib/library-2.jar
      ./snapshots/lib/shop-1.jar
      null /app/bin/../lib/shop-1.jar
      production word
      "
    `);
  });
});

describe('Spring Boot', { timeout: 120_000 }, () => {
  const launcher = `mkdir -p classes && cat > JarLauncher.java << 'END'
package org.springframework.boot.loader.launch;
public class JarLauncher { public static void main(String[] args) { System.out.println("launched from " + System.getProperty("java.class.path")); } }
END
javac -d classes JarLauncher.java && rm JarLauncher.java
echo > classes/library.txt && mkdir /tmp/cache && (cd classes && command jar cf /tmp/cache/library-2.jar library.txt) && rm classes/library.txt
boot() {
  rm -rf boot && mkdir -p boot/BOOT-INF/lib boot/BOOT-INF/classes && cp /tmp/cache/library-2.jar boot/BOOT-INF/lib/ && cp -r classes/org boot/
  echo a=1 > boot/BOOT-INF/classes/application.properties
  echo '- "BOOT-INF/lib/library-2.jar"' > boot/BOOT-INF/classpath.idx
  { printf 'Main-Class: org.springframework.boot.loader.launch.JarLauncher\\nStart-Class: example.Main\\n'; cat; } > manifest
  mkdir -p target && command jar cfm0 target/shop-1-exec.jar manifest -C boot .
}
index='Spring-Boot-Classpath-Index: BOOT-INF/classpath.idx\\n'
`;

  test('has its jar beside the plain one unpacked at the places that its launcher looks at', async () => {
    const script = `${launcher}
printf '' | jar target/shop-1.jar
printf "$index" | boot
jvm-stage && layers && start`;
    expect(await run(script)).toMatchInlineSnapshot(`
      "application/BOOT-INF/classes/application.properties
      application/BOOT-INF/classpath.idx
      application/META-INF/MANIFEST.MF
      application/app.args
      application/start
      dependencies/BOOT-INF/lib/library-2.jar
      dependencies/org/springframework/boot/loader/launch/JarLauncher.class
      launched from /app
      "
    `);
  });

  test('has its jar whole where only -jar starts it in the same way', async () => {
    const script = `${launcher}
for more in '' "\${index}Launcher-Agent-Class: example.Agent\\n" "\${index}Multi-Release: true\\n"; do
  printf "$more" | boot && jvm-stage && layers && cat target/gbuild/application/app.args
done`;
    expect(await run(script)).toMatchInlineSnapshot(`
      "application/app.args
      application/shop-1-exec.jar
      application/start
      -jar
      /app/shop-1-exec.jar
      application/app.args
      application/shop-1-exec.jar
      application/start
      -jar
      /app/shop-1-exec.jar
      application/app.args
      application/shop-1-exec.jar
      application/start
      -jar
      /app/shop-1-exec.jar
      "
    `);
  });
});

describe('what cannot be decided or started is refused with what to write', { timeout: 120_000 }, () => {
  test('where several modules have an application; a module may be named', async () => {
    const script = `main Main '${says}'
for module in api worker core; do project $module; done
for module in api worker; do printf '${manifest}' | jar $module/target/$module-1.jar Main; done
printf '' | jar core/target/core-1.jar
jvm-stage || echo exit $?
jvm-stage --module worker && layers
jvm-stage --module core || echo exit $?`;
    expect(await run(script)).toMatchInlineSnapshot(`
      "jvm-stage: several modules have an application: api (api/target/api-1.jar), worker (worker/target/worker-1.jar); say in gbuild.yml which one the image is of, for example:
        tasks: { stage: { run: jvm-stage --module api, needs: [build] } }
      exit 2
      application/app.args
      application/start
      application/worker-1.jar
      stage: no class has a main method: name what the image starts in image.entrypoint of gbuild.yml
      exit 2
      "
    `);
  });

  test('where a module has several; one may be named', async () => {
    const script = `main Main '${says}'; main Other '${says}'
printf '${manifest}' | jar target/shop-1-a.jar Main
printf '${manifest}' | jar target/shop-1-b.jar Other
jvm-stage || echo exit $?
jvm-stage --artifact target/shop-1-b.jar && layers
jvm-stage --artifact target/none.jar || echo exit $?`;
    expect(await run(script)).toMatchInlineSnapshot(`
      "jvm-stage: each of these could be the application: target/shop-1-a.jar, target/shop-1-b.jar; say in gbuild.yml which one it is, for example:
        tasks: { stage: { run: jvm-stage --artifact target/shop-1-a.jar, needs: [build] } }
      exit 2
      application/app.args
      application/shop-1-b.jar
      application/start
      jvm-stage: there is no target/none.jar
      exit 2
      "
    `);
  });

  test('where it is a war that only a servlet container starts, and where there is nothing', async () => {
    const script = `jvm-stage || echo exit $?
printf '' | jar target/shop-1.war
jvm-stage || echo exit $?`;
    expect(await run(script)).toMatchInlineSnapshot(`
      "jvm-stage: no jar in any module's target: does the task "build" of gbuild.yml package one?
      exit 2
      jvm-stage: target/shop-1.war starts only in a servlet container. Name the image of one in gbuild.yml and where it looks for applications, for example:
        image:
          base: tomcat:10.1-jre21
          layers: [{ name: application, from: target/, include: [target/shop-1.war], to: /usr/local/tomcat/webapps }]
          entrypoint: [catalina.sh, run]
        or have the build make an executable war, as Spring Boot's plugin does
      exit 2
      "
    `);
  });
});

test('jars of equal content give equal bytes, whenever they were built and in whatever order', {
  timeout: 120_000,
}, async () => {
  const script = `${library('Library')}; ${library('Module')}; ${library('Extra')}; main Main '${says}'
project core
depends $PWD/core/target/core-1.jar
digests() { (cd target/gbuild && find . -name '*.jar' -exec sha256sum {} + | sort); }
printf '' | jar core/target/core-1.jar Module Library; printf '${manifest}' | jar target/shop-1.jar Main Extra
jvm-stage && digests > /tmp/first
find classes -name '*.class' -exec touch -d 2020-02-02 {} +
printf '' | jar core/target/core-1.jar Library Module; printf '${manifest}' | jar target/shop-1.jar Extra Main
jvm-stage && digests > /tmp/second
wc -l < /tmp/first; cmp /tmp/first /tmp/second && echo equal
files() { find target/gbuild -type f -printf '%p %i %T@\\n' | sort; }
files > /tmp/before; touch target/gbuild/application/left-over; jvm-stage; files | cmp - /tmp/before && echo untouched`;
  expect(await run(script)).toBe('2\nequal\nuntouched\n');
});
