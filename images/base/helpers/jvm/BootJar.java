import java.io.*;
import java.nio.file.*;
import java.util.*;
import java.util.zip.*;

/**
 * Spring Boot's executable jar or war. Unpacked, so that an edit sends the classes alone, and started by its own launcher, which
 * knows both forms: the class path, the manifest and the class loader are those of `java -jar`. Whole where that would not be so.
 */
final class BootJar {
  private static final String LAUNCHERS = "org\\.springframework\\.boot\\.loader\\.(launch\\.)?(Jar|War)Launcher";
  private final Artifact jar;

  BootJar(Artifact jar) {
    this.jar = jar;
  }

  void stage(Layers layers) throws IOException {
    if (mustStayWhole()) {
      layers.addOwn(jar.file, jar.name());
      layers.startJava(List.of("-jar", Layers.HOME + "/" + jar.name()));
      return;
    }
    unpack(layers);
    List<String> arguments = new ArrayList<>(ManifestOptions.of(jar));
    arguments.addAll(List.of("-cp", Layers.HOME, jar.says("Main-Class")));
    layers.startJava(arguments);
  }

  /** Without an index the order of libraries is that of the jar; the other things work with `-jar` alone. */
  private boolean mustStayWhole() {
    boolean hasIndex = jar.names.contains(jar.says("Spring-Boot-Classpath-Index"));
    boolean hasVersions = jar.says("Multi-Release").equalsIgnoreCase("true");
    return !jar.says("Main-Class").matches(LAUNCHERS) || !hasIndex || hasVersions || jar.isSigned() || !jar.says("Launcher-Agent-Class").isEmpty();
  }

  private void unpack(Layers layers) throws IOException {
    try (ZipFile zip = new ZipFile(jar.file.toFile())) {
      for (String name : jar.names) {
        try (InputStream content = zip.getInputStream(zip.getEntry(name))) {
          if (name.endsWith(".jar")) addLibrary(layers, name, content);
          else if (name.startsWith("org/springframework/boot/loader/")) layers.addRare(name, content);
          else layers.add(name, content);
        }
      }
    }
  }

  private static void addLibrary(Layers layers, String name, InputStream content) throws IOException {
    Path copy = Files.createTempFile("stage", ".jar");
    try {
      Files.copy(content, copy, StandardCopyOption.REPLACE_EXISTING);
      layers.addLibrary(copy, name);
    } finally {
      Files.delete(copy);
    }
  }
}
