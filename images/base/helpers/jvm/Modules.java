import java.io.*;
import java.lang.module.*;
import java.nio.ByteBuffer;
import java.nio.file.*;
import java.util.*;
import java.util.jar.*;
import java.util.spi.ToolProvider;
import java.util.stream.*;

/**
 * Prints the modules of this JDK that an application needs, separated by commas: those that the classes and jars below DIR
 * refer to (as jdeps sees it), those that modular jars require, jdk.crypto.ec for TLS, and those named.
 *
 * java Modules DIR [MODULE]...
 *
 * Jars are looked at as the classpath sees them: unpacked into one folder, the classes of this version of Java last, and without
 * module-info, which would make jdeps look for modules that nobody has. Exit code 2: there is no such module.
 */
public final class Modules {
  private static final String FOR_TLS = "jdk.crypto.ec";
  private final Path unpacked;
  private final Set<String> needed = new TreeSet<>();

  private Modules(Path unpacked) {
    this.unpacked = unpacked;
  }

  public static void main(String[] args) throws IOException {
    Path unpacked = Files.createTempDirectory("modules");
    try {
      System.out.println(String.join(",", new Modules(unpacked).find(Paths.get(args[0]), List.of(args).subList(1, args.length))));
    } finally {
      delete(unpacked);
    }
  }

  private Set<String> find(Path application, List<String> named) throws IOException {
    for (String module : named) {
      if (!isKnown(module)) throw fail("this JDK has no module " + module + ", which image.jre.modules of gbuild.yml names");
    }
    for (String folder : List.of("application", "snapshots", "dependencies")) unpackFolder(application.resolve(folder));
    needed.addAll(askJdeps());
    needed.addAll(named);
    if (isKnown(FOR_TLS)) needed.add(FOR_TLS);
    return needed;
  }

  private void unpackFolder(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) return;
    List<Path> files;
    try (Stream<Path> all = Files.walk(folder)) {
      files = all.filter(Files::isRegularFile).sorted().collect(Collectors.toList());
    }
    for (Path file : files) {
      if (file.toString().endsWith(".jar") || file.toString().endsWith(".war")) unpackJar(file);
      else if (file.toString().endsWith(".class")) take(folder.relativize(file).toString(), Files.readAllBytes(file));
    }
  }

  /** The runtime's view of a jar: of a multi-release one, the classes of the highest version that is not beyond this JDK. */
  private void unpackJar(Path file) throws IOException {
    try (JarFile jar = new JarFile(file.toFile(), false, JarFile.OPEN_READ, Runtime.version())) {
      for (JarEntry entry : jar.versionedStream().collect(Collectors.toList())) {
        if (entry.getName().endsWith(".jar")) unpackInner(jar, entry);
        if (!entry.getName().endsWith(".class") || entry.getName().startsWith("META-INF/")) continue;
        try (InputStream content = jar.getInputStream(entry)) {
          take(entry.getName(), content.readAllBytes());
        }
      }
    }
  }

  /** A library in a jar, as Spring Boot packs them. */
  private void unpackInner(JarFile jar, JarEntry entry) throws IOException {
    Path copy = Files.createTempFile("modules", ".jar");
    try (InputStream content = jar.getInputStream(entry)) {
      Files.copy(content, copy, StandardCopyOption.REPLACE_EXISTING);
      unpackJar(copy);
    } finally {
      Files.delete(copy);
    }
  }

  private void take(String path, byte[] bytes) throws IOException {
    String name = path.replaceFirst("^(BOOT-INF|WEB-INF)/classes/", "");
    if (name.equals("module-info.class")) {
      takeRequired(bytes);
      return;
    }
    Path target = unpacked.resolve(name).normalize();
    if (!target.startsWith(unpacked)) throw fail("an entry leads out of its jar: " + name);
    Files.createDirectories(target.getParent());
    Files.write(target, bytes);
  }

  private void takeRequired(byte[] moduleInfo) {
    for (ModuleDescriptor.Requires required : ModuleDescriptor.read(ByteBuffer.wrap(moduleInfo)).requires()) {
      boolean isOptional = required.modifiers().contains(ModuleDescriptor.Requires.Modifier.STATIC);
      if (!isOptional && isKnown(required.name())) needed.add(required.name());
    }
  }

  private List<String> askJdeps() {
    StringWriter said = new StringWriter();
    PrintWriter out = new PrintWriter(said, true);
    int code = ToolProvider.findFirst("jdeps").orElseThrow()
      .run(out, out, "--ignore-missing-deps", "--print-module-deps", unpacked.toString());
    if (code != 0) throw fail("jdeps failed:\n" + said);
    List<String> lines = said.toString().lines().filter(line -> !line.isBlank() && !line.startsWith("Warning:")).collect(Collectors.toList());
    return lines.isEmpty() ? List.of("java.base") : List.of(lines.get(lines.size() - 1).trim().split(","));
  }

  private static boolean isKnown(String module) {
    return ModuleFinder.ofSystem().find(module).isPresent();
  }

  private static void delete(Path path) throws IOException {
    try (Stream<Path> all = Files.walk(path)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).collect(Collectors.toList())) Files.delete(each);
    }
  }

  private static RuntimeException fail(String message) {
    System.err.println("make-jre: " + message);
    System.exit(2);
    return new IllegalStateException(message);
  }
}
