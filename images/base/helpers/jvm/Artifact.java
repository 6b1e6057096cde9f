import java.io.*;
import java.nio.file.*;
import java.util.*;
import java.util.jar.*;
import java.util.stream.*;
import java.util.zip.*;

/** A jar or war that a build made: what its manifest says, and the names of its files. */
final class Artifact {
  /** In the order in which a module's artifacts are looked for: the first kind that it has is its application. */
  enum Kind { BOOT, EXECUTABLE, WAR, LIBRARY }

  final Path file;
  final Kind kind;
  final Attributes manifest;
  /** Files, in the order of the archive. */
  final Set<String> names;

  private Artifact(Path file, Attributes manifest, Set<String> names) {
    this.file = file;
    this.manifest = manifest;
    this.names = names;
    this.kind = findKind();
  }

  static Artifact read(Path file) throws IOException {
    try (JarFile jar = new JarFile(file.toFile(), false)) {
      Manifest manifest = jar.getManifest();
      Set<String> names = jar.stream().filter(entry -> !entry.isDirectory()).map(ZipEntry::getName)
        .collect(Collectors.toCollection(LinkedHashSet::new));
      return new Artifact(file, manifest == null ? new Attributes() : manifest.getMainAttributes(), names);
    } catch (ZipException damaged) {
      throw new Refusal(file + " cannot be read: " + damaged.getMessage());
    }
  }

  String name() {
    return file.getFileName().toString();
  }

  /** The value of an attribute of the manifest; without it, an empty text. */
  String says(String attribute) {
    String value = manifest.getValue(attribute);
    return value == null ? "" : value.trim();
  }

  private Kind findKind() {
    if (!says("Start-Class").isEmpty() && says("Main-Class").startsWith("org.springframework.boot.loader.")) return Kind.BOOT;
    if (!says("Main-Class").isEmpty()) return Kind.EXECUTABLE;
    return name().endsWith(".war") ? Kind.WAR : Kind.LIBRARY;
  }

  boolean isSigned() {
    return names.stream().anyMatch(name -> name.matches("META-INF/[^/]+\\.(SF|RSA|DSA|EC)"));
  }

  boolean hasMain(String main) {
    return names.contains(main.replace('.', '/') + ".class");
  }

  /** Whether it holds all that another one does, as a jar with its dependencies holds the plain one. */
  boolean holds(Artifact other) {
    return other.names.stream().allMatch(name -> name.startsWith("META-INF/") || names.contains(name));
  }

  /** Classes with `public static void main(String[])`. */
  Set<String> findMains() throws IOException {
    Set<String> mains = new TreeSet<>();
    try (ZipFile zip = new ZipFile(file.toFile())) {
      for (String name : names) {
        if (!name.endsWith(".class") || name.startsWith("META-INF/") || name.endsWith("module-info.class")) continue;
        try (InputStream content = zip.getInputStream(zip.getEntry(name))) {
          if (ClassFile.hasMain(content.readAllBytes())) mains.add(name.substring(0, name.length() - ".class".length()).replace('/', '.'));
        }
      }
    }
    return mains;
  }
}
