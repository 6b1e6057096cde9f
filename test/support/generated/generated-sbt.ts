import fc from 'fast-check';
import type { GeneratedRepository } from './generated-suite.ts';

interface Layout {
  /** Packing of the application: by the class path that sbt exports, or by sbt-native-packager. */
  packs: 'class path' | 'bash' | 'ash' | 'launcher jar';
  /** Number of projects that the application needs, each with the one before it. */
  libraries: number;
  isProject: boolean;
  isScala: boolean;
  /** Whether the name in build.sbt differs from the folder's. */
  isNamed: boolean;
  resources: string[];
  /** Files next to the jars; for the plugin only. */
  universal: string[];
  option: boolean;
}

const layouts: fc.Arbitrary<Layout> = fc
  .record({
    packs: fc.constantFrom<Layout['packs']>('class path', 'bash', 'ash', 'launcher jar'),
    libraries: fc.integer({ min: 0, max: 2 }),
    isProject: fc.boolean(),
    isScala: fc.boolean(),
    isNamed: fc.boolean(),
    resources: fc.uniqueArray(fc.constantFrom('app.properties', 'META-INF/services/x', 'static/a b.html'), {
      maxLength: 3,
    }),
    universal: fc.uniqueArray(fc.constantFrom('conf/shop.conf', 'data/a b.txt'), { maxLength: 2 }),
    option: fc.boolean(),
  })
  // Libraries are projects; without any, the application may be at the top.
  .map((layout) => ({ ...layout, isProject: layout.isProject || layout.libraries > 0 }));

/** Draws repositories that sbt builds, with the plugin sbt-native-packager or none; the same seed draws the same ones. */
export function drawSbtRepositories(count: number, seed: number): GeneratedRepository[] {
  return fc.sample(layouts, { numRuns: count, seed }).map(makeRepository);
}

function makeRepository(layout: Layout): GeneratedRepository {
  const { packs, libraries, isProject, isScala, resources, universal } = layout;
  const app = isProject ? 'app/' : '';
  const hasPlugin = packs !== 'class path';
  const files: Record<string, string> = {
    '.gitignore': 'target/\n.bsp/\n',
    'project/build.properties': 'sbt.version=1.11.7\n',
    'build.sbt': formatBuild(layout),
    [`${app}src/main/java/example/Main.java`]: formatMain(layout),
  };
  if (hasPlugin) files['project/plugins.sbt'] = 'addSbtPlugin("com.github.sbt" % "sbt-native-packager" % "1.11.7")\n';
  if (isScala) files[`${app}src/main/scala/example/Words.scala`] = formatWords;
  for (let at = 0; at < libraries; at += 1) {
    const before = at === 0 ? '""' : `" and " + library${at - 1}.Library.who()`;
    files[`lib${at}/src/main/java/library${at}/Library.java`] =
      `package library${at};\npublic final class Library {\n  public static String who() { return "lib${at}" + ${before}; }\n}\n`;
  }
  for (const path of resources) files[`${app}src/main/resources/${path}`] = `resource ${path}`;
  if (hasPlugin) for (const path of universal) files[`${app}src/universal/${path}`] = `universal ${path}`;
  const scope = isProject ? 'app/' : '';
  return {
    title: `${libraries} libraries, ${isProject ? 'a project' : 'at the top'}, ${packs}`,
    layout,
    toolchain: '{name: sbt, jdk: 21}',
    files,
    // Without the plugin nothing is built before, and the spec names one of several projects.
    ...(!hasPlugin && { needs: [], ...(isProject && { tasks: '  stage: sbt-stage --project app\n' }) }),
    left: { [`${app}target/universal/stage/left.txt`]: 'left' },
    command: hasPlugin
      ? `${app}target/universal/stage/bin/${nameOf(layout)}`
      : `java -cp "$(sbt -error 'export ${scope}Runtime/fullClasspathAsJars' | tail -n 1)" example.Main`,
  };
}

function nameOf({ isNamed, isProject }: Layout): string {
  if (isNamed) return 'the-shop';
  return isProject ? 'app' : 'shop';
}

const formatWords =
  'package example\nobject Words { def of(all: Seq[String]): String = all.map(_.capitalize).mkString(" ") }\n';

function formatBuild(layout: Layout): string {
  const { packs, libraries, isProject, isScala, option } = layout;
  const plugins = {
    'class path': '',
    bash: '.enablePlugins(JavaAppPackaging)',
    ash: '.enablePlugins(JavaAppPackaging, AshScriptPlugin)',
    'launcher jar': '.enablePlugins(JavaAppPackaging, LauncherJarPlugin)',
  };
  const settings = [
    ...(nameOf(layout) === 'app' ? [] : [`name := "${nameOf(layout)}"`]),
    ...(isScala ? [] : ['autoScalaLibrary := false', 'crossPaths := false']),
    'Compile / mainClass := Some("example.Main")',
    ...(option && packs !== 'class path' ? ['Universal / javaOptions += "-Dshop.mode=production"'] : []),
  ];
  const all = Array.from({ length: libraries }, (_, at) => {
    const needs = at === 0 ? '' : `.dependsOn(lib${at - 1})`;
    return `lazy val lib${at} = project.settings(autoScalaLibrary := false, crossPaths := false)${needs}`;
  });
  const needs = libraries === 0 ? '' : `.dependsOn(lib${libraries - 1})`;
  const where = isProject ? 'lazy val app = project' : 'lazy val root = project.in(file("."))';
  return `ThisBuild / version := "1.4.2"
ThisBuild / scalaVersion := "2.13.16"
Compile / packageDoc / publishArtifact := false
${all.join('\n')}
${where}${plugins[packs]}.settings(${settings.join(', ')})${needs}
`;
}

/**
 * Formats the program, which prints one line of JSON: resources, files next to the jars, options, and a person's
 * leftovers.
 */
function formatMain({ packs, libraries, isScala, resources, universal, option }: Layout): string {
  const others = packs === 'class path' ? [] : universal;
  const words = isScala
    ? 'Words.of(scala.jdk.javaapi.CollectionConverters.asScala(List.of("two", "words")).toSeq())'
    : '"no words"';
  return `package example;
import java.io.InputStream;
import java.nio.file.*;
import java.util.ArrayList;
import java.util.List;
public final class Main {
  public static void main(String[] args) throws Exception {
    List<String> found = new ArrayList<>();
    found.add("java " + Runtime.version().feature());
    found.add("version " + Main.class.getPackage().getImplementationVersion());
    found.add(${libraries === 0 ? '"alone"' : `library${libraries - 1}.Library.who()`});
    found.add(${words});
    ${option ? 'found.add("mode " + System.getProperty("shop.mode"));' : ''}
    for (String path : new String[] {${[...resources, 'left.txt'].map((path) => JSON.stringify(path)).join(', ')}}) found.add(read(path));
    Path jar = Paths.get(Main.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    for (String path : new String[] {${[...others, 'left.txt'].map((path) => JSON.stringify(path)).join(', ')}}) {
      Path file = jar.resolveSibling("../" + path);
      found.add(Files.exists(file) ? new String(Files.readAllBytes(file), "UTF-8") : "no file " + path);
    }
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
