import fc from 'fast-check';
import type { GeneratedRepository } from './generated-suite.ts';

/** Placeholder of Maven itself. */
const artifactId = '$' + '{project.artifactId}';

interface Layout {
  /** Number of modules that the application needs, each with the one before it. */
  libraries: number;
  isModule: boolean;
  hasMainClass: boolean;
  addsClassPath: boolean;
  hasVersion: boolean;
  opens: boolean;
  finalName: string | undefined;
  resources: string[];
  filtersResources: boolean;
  hasConfig: boolean;
}

const layouts: fc.Arbitrary<Layout> = fc
  .record({
    libraries: fc.integer({ min: 0, max: 2 }),
    isModule: fc.boolean(),
    hasMainClass: fc.boolean(),
    addsClassPath: fc.boolean(),
    hasVersion: fc.boolean(),
    opens: fc.boolean(),
    finalName: fc.constantFrom(undefined, 'shop', `${artifactId}-latest`),
    resources: fc.uniqueArray(
      fc.constantFrom('app.properties', 'META-INF/services/x', 'static/a b.html', 'example/inner.txt'),
      { maxLength: 3 },
    ),
    filtersResources: fc.boolean(),
    hasConfig: fc.boolean(),
  })
  // Libraries are modules; without any, the application may be at the top.
  .map((layout) => ({ ...layout, isModule: layout.isModule || layout.libraries > 0 }));

/** Draws repositories that Maven builds, without foreign packages; the same seed draws the same ones. */
export function drawMavenRepositories(count: number, seed: number): GeneratedRepository[] {
  return fc.sample(layouts, { numRuns: count, seed }).map(makeRepository);
}

const plugins = { compiler: '3.14.1', resources: '3.3.1', surefire: '3.5.4', jar: '3.4.2' };
const pinned = Object.entries(plugins).map(
  ([name, version]) => `<plugin><artifactId>maven-${name}-plugin</artifactId><version>${version}</version></plugin>`,
);

function makeRepository(layout: Layout): GeneratedRepository {
  const { libraries, isModule, resources, finalName } = layout;
  const app = isModule ? 'app/' : '';
  const modules = [...Array.from({ length: libraries }, (_, at) => `lib${at}`), ...(isModule ? ['app'] : [])];
  const files: Record<string, string> = {
    '.gitignore': 'target/\n',
    '.mvn/jvm.config': '-XX:TieredStopAtLevel=1\n-XX:+UseSerialGC\n',
    'pom.xml': formatTop(layout, modules),
    [`${app}src/main/java/example/Main.java`]: formatMain(layout),
  };
  if (isModule) files['app/pom.xml'] = formatModule('app', dependOn(libraries), formatBuild(layout));
  for (let at = 0; at < libraries; at += 1) {
    files[`lib${at}/pom.xml`] = formatModule(`lib${at}`, dependOn(at), '');
    const before = at === 0 ? '""' : `" and " + library${at - 1}.Library.who()`;
    files[`lib${at}/src/main/java/library${at}/Library.java`] =
      `package library${at};\npublic final class Library {\n  public static String who() { return "lib${at}" + ${before}; }\n}\n`;
  }
  for (const path of resources)
    files[`${app}src/main/resources/${path}`] = `resource ${path} ${'$'}{project.version}\n`;
  if (layout.hasConfig) files[`${app}config/settings.txt`] = 'settings';
  const jar = `${app}target/${finalName === undefined ? `${isModule ? 'app' : 'shop'}-1.4.2` : finalName.replace(artifactId, isModule ? 'app' : 'shop')}.jar`;
  const others = Array.from({ length: libraries }, (_, at) => `lib${at}/target/lib${at}-1.4.2.jar`);
  const isAlone = libraries === 0 && layout.hasMainClass;
  return {
    title: `${libraries} libraries, ${isModule ? 'a module' : 'at the top'}, ${isAlone ? '-jar' : 'a class path'}`,
    layout,
    toolchain: 'jvm@21',
    files,
    left: { 'target/old.jar': 'old', [`${app}target/classes/left.txt`]: 'left' },
    command: isAlone ? `java -jar ${jar}` : `java -cp ${[jar, ...others].join(':')} example.Main`,
  };
}

function dependOn(libraries: number): string {
  const all = Array.from(
    { length: libraries },
    (_, at) =>
      `<dependency><groupId>com.example</groupId><artifactId>lib${at}</artifactId><version>1.4.2</version></dependency>`,
  );
  return `<dependencies>${all.join('')}</dependencies>`;
}

function formatTop(layout: Layout, modules: string[]): string {
  const shape = layout.isModule
    ? `<packaging>pom</packaging><modules>${modules.map((name) => `<module>${name}</module>`).join('')}</modules>`
    : '';
  const managed = `<pluginManagement><plugins>${pinned.join('')}</plugins></pluginManagement>`;
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>com.example</groupId><artifactId>shop</artifactId><version>1.4.2</version>${shape}
  <properties><maven.compiler.release>21</maven.compiler.release><project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>
  <build>${layout.isModule ? managed : `${managed}${formatBuild(layout)}`}</build>
</project>
`;
}

function formatModule(name: string, dependencies: string, build: string): string {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<parent><groupId>com.example</groupId><artifactId>shop</artifactId><version>1.4.2</version></parent>
<artifactId>${name}</artifactId>${dependencies}<build>${build}</build></project>
`;
}

/** Formats the content of `build`. */
function formatBuild({ hasMainClass, addsClassPath, hasVersion, opens, finalName, filtersResources }: Layout): string {
  const manifest = [
    hasMainClass ? '<mainClass>example.Main</mainClass>' : '',
    addsClassPath ? '<addClasspath>true</addClasspath><classpathPrefix>lib/</classpathPrefix>' : '',
    hasVersion ? '<addDefaultImplementationEntries>true</addDefaultImplementationEntries>' : '',
  ].join('');
  const entries = opens ? '<manifestEntries><Add-Opens>java.base/java.lang</Add-Opens></manifestEntries>' : '';
  const archive = `<archive><manifest>${manifest}</manifest>${entries}</archive>`;
  return [
    finalName === undefined ? '' : `<finalName>${finalName}</finalName>`,
    filtersResources
      ? '<resources><resource><directory>src/main/resources</directory><filtering>true</filtering></resource></resources>'
      : '',
    `<plugins><plugin><artifactId>maven-jar-plugin</artifactId><configuration>${archive}</configuration></plugin></plugins>`,
  ].join('');
}

/**
 * Prints its findings in one line. It checks whether a package is open only where `java -jar` decides that by hand,
 * too.
 */
function formatMain({ libraries, resources, opens, hasMainClass }: Layout): string {
  const asked = [...resources, 'left.txt'];
  const open = opens && hasMainClass && libraries === 0;
  return `package example;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
public final class Main {
  public static void main(String[] args) throws Exception {
    List<String> found = new ArrayList<>();
    found.add("java " + Runtime.version().feature());
    found.add("version " + Main.class.getPackage().getImplementationVersion());
    found.add(${libraries === 0 ? '"alone"' : `library${libraries - 1}.Library.who()`});
    for (String path : new String[] {${asked.map((path) => JSON.stringify(path)).join(', ')}}) found.add(read(path));
    ${open ? 'String.class.getDeclaredField("value").setAccessible(true);' : ''}
    System.out.println("[\\"" + String.join("\\", \\"", found) + "\\"]");
  }
  private static String read(String path) throws Exception {
    try (InputStream in = Main.class.getClassLoader().getResourceAsStream(path)) {
      return in == null ? "no " + path : new String(in.readAllBytes(), "UTF-8").trim();
    }
  }
}
`;
}
