import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import java.util.jar.*;
import java.util.stream.*;
import java.util.zip.ZipEntry;

/**
 * Lays a JVM application out as folders that an image takes as layers, the rarest changing first: dependencies/, snapshots/
 * (also modules of the same repository), resources/, classes/, and start/ with app.args, the argument file that `java` starts it with.
 *
 * java Stage --out DIR [--home DIR] [--main CLASS] --own JAR... [--module JAR | --lib JAR]...
 *
 * --home is where the folders will be in the image, --module a jar of the same repository. Their order is that of the
 * classpath. An own jar of Spring Boot's layout is taken apart into its libraries and classes. Exit code 2: the call or the
 * jars are not usable.
 */
public final class Stage {
  private final Path out;
  private final String home;
  private final List<String> classpath = new ArrayList<>();
  private final Set<String> taken = new HashSet<>();
  private final Set<String> mains = new TreeSet<>();
  private String mainClass;
  private boolean hasClasses;
  private boolean hasResources;

  private Stage(Path out, String home, String mainClass) {
    this.out = out;
    this.home = home;
    this.mainClass = mainClass;
  }

  public static void main(String[] args) throws IOException {
    List<Path> own = new ArrayList<>();
    List<Path> libs = new ArrayList<>();
    Set<Path> modules = new HashSet<>();
    String out = null;
    String home = "/app";
    String main = null;
    for (int at = 0; at + 1 < args.length; at += 2) {
      String value = args[at + 1];
      switch (args[at]) {
        case "--out": out = value; break;
        case "--home": home = value; break;
        case "--main": main = value; break;
        case "--own": own.add(Paths.get(value)); break;
        case "--module": modules.add(Paths.get(value)); // and a library
        case "--lib": libs.add(Paths.get(value)); break;
        default: throw fail("unknown option " + args[at]);
      }
    }
    if (out == null || own.isEmpty()) throw fail("usage: Stage --out DIR --own JAR... [--lib JAR...] [--main CLASS]");
    Path beside = Paths.get(out + ".part");
    delete(beside);
    Files.createDirectories(beside);
    new Stage(beside, home, main).write(own, libs, modules);
    delete(Paths.get(out));
    Files.move(beside, Paths.get(out));
  }

  private void write(List<Path> own, List<Path> libs, Set<Path> modules) throws IOException {
    for (String folder : List.of("dependencies", "snapshots", "resources", "classes", "start")) Files.createDirectories(out.resolve(folder));
    List<String> first = new ArrayList<>();
    for (Path jar : own) {
      String kept = takeApart(jar);
      if (kept != null) first.add(kept);
    }
    for (Path jar : libs) addLibrary(jar, jar.getFileName().toString(), jar.toString(), modules.contains(jar));
    List<String> whole = new ArrayList<>();
    if (hasResources) whole.add(home + "/resources");
    if (hasClasses) whole.add(home + "/classes");
    whole.addAll(first);
    whole.addAll(classpath);
    for (String folder : List.of("dependencies", "snapshots", "resources", "classes")) deleteIfEmpty(out.resolve(folder));
    Files.write(out.resolve("start/app.args"), List.of("-cp", quote(String.join(":", whole)), chooseMain()));
  }

  /** Own classes and resources become files of their own; a jar that only works as a jar is kept: its place in the image. */
  private String takeApart(Path file) throws IOException {
    try (JarFile jar = new JarFile(file.toFile())) {
      Manifest manifest = jar.getManifest();
      Attributes attributes = manifest == null ? new Attributes() : manifest.getMainAttributes();
      String start = attributes.getValue("Start-Class");
      String declared = start != null ? start : attributes.getValue(Attributes.Name.MAIN_CLASS);
      if (mainClass == null && declared != null) mainClass = declared;
      boolean isBoot = jar.getEntry("BOOT-INF/classes/") != null;
      if (!isBoot && needsJar(jar, attributes)) {
        String name = unique(file.getFileName().toString());
        Files.copy(file, out.resolve("classes").resolve(name));
        return home + "/classes/" + name;
      }
      List<String> order = isBoot ? readIndex(jar) : List.of();
      for (String library : order) addBootLibrary(jar, library);
      for (JarEntry entry : sorted(jar)) {
        String name = entry.getName();
        if (entry.isDirectory()) continue;
        if (!isBoot) addFile(jar, entry, name);
        else if (name.startsWith("BOOT-INF/classes/")) addFile(jar, entry, name.substring("BOOT-INF/classes/".length()));
        else if (name.startsWith("BOOT-INF/lib/") && !order.contains(name)) addBootLibrary(jar, name);
        else if (name.startsWith("META-INF/") && !name.equals(JarFile.MANIFEST_NAME)) addFile(jar, entry, name);
      }
      return null;
    }
  }

  /** Signed, or with other classes for other versions of Java. */
  private static boolean needsJar(JarFile jar, Attributes attributes) {
    if ("true".equalsIgnoreCase(attributes.getValue("Multi-Release"))) return true;
    return jar.stream().anyMatch(entry -> entry.getName().matches("META-INF/[^/]+\\.(SF|RSA|DSA|EC)"));
  }

  /** The order of Spring Boot's classpath. */
  private static List<String> readIndex(JarFile jar) throws IOException {
    ZipEntry index = jar.getEntry("BOOT-INF/classpath.idx");
    if (index == null) return List.of();
    try (BufferedReader lines = new BufferedReader(new InputStreamReader(jar.getInputStream(index), StandardCharsets.UTF_8))) {
      return lines.lines().filter(line -> line.startsWith("- \""))
        .map(line -> line.substring(3, line.lastIndexOf('"'))).collect(Collectors.toList());
    }
  }

  private void addBootLibrary(JarFile jar, String name) throws IOException {
    ZipEntry entry = jar.getEntry(name);
    if (entry == null) return;
    Path copy = Files.createTempFile("stage", ".jar");
    try (InputStream content = jar.getInputStream(entry)) {
      Files.copy(content, copy, StandardCopyOption.REPLACE_EXISTING);
      addLibrary(copy, name.substring(name.lastIndexOf('/') + 1), name, false);
    } finally {
      Files.delete(copy);
    }
  }

  private void addLibrary(Path jar, String name, String from, boolean isModule) throws IOException {
    if (!Files.isRegularFile(jar)) throw fail(from + " is no file: the build must package what it depends on");
    String folder = isModule || name.contains("-SNAPSHOT") ? "snapshots" : "dependencies";
    String kept = unique(name);
    Files.copy(jar, out.resolve(folder).resolve(kept));
    classpath.add(home + "/" + folder + "/" + kept);
  }

  /** Two jars of one name stay two. */
  private String unique(String name) {
    String free = name;
    for (int count = 2; !taken.add(free); count++) free = count + "-" + name;
    return free;
  }

  private void addFile(JarFile jar, JarEntry entry, String name) throws IOException {
    if (name.equals(JarFile.MANIFEST_NAME) || name.equals("META-INF/INDEX.LIST")) return;
    boolean isClass = name.endsWith(".class");
    Path target = out.resolve(isClass ? "classes" : "resources").resolve(name).normalize();
    if (!target.startsWith(out)) throw fail(jar.getName() + " has an entry that leads out of it: " + name);
    if (isClass) hasClasses = true;
    else hasResources = true;
    Files.createDirectories(target.getParent());
    byte[] bytes;
    try (InputStream content = jar.getInputStream(entry)) {
      bytes = content.readAllBytes();
    }
    if (!Files.exists(target)) Files.write(target, bytes);
    if (isClass && hasMain(bytes)) mains.add(name.substring(0, name.length() - ".class".length()).replace('/', '.'));
  }

  private String chooseMain() {
    if (mainClass != null) return mainClass;
    if (mains.size() == 1) return mains.iterator().next();
    if (mains.isEmpty()) throw fail("no class has a main method: name what the image starts in image.entrypoint of gbuild.yml");
    throw fail("several classes have a main method: " + String.join(", ", mains)
      + "; name one: in the jar's manifest (Main-Class), or with --main in the task \"stage\" of gbuild.yml");
  }

  private static List<JarEntry> sorted(JarFile jar) {
    return jar.stream().sorted(Comparator.comparing(JarEntry::getName)).collect(Collectors.toList());
  }

  private static String quote(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }

  private static void deleteIfEmpty(Path folder) throws IOException {
    try (Stream<Path> content = Files.list(folder)) {
      if (content.findAny().isPresent()) return;
    }
    Files.delete(folder);
  }

  private static void delete(Path path) throws IOException {
    if (!Files.exists(path)) return;
    try (Stream<Path> all = Files.walk(path)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).collect(Collectors.toList())) Files.delete(each);
    }
  }

  private static RuntimeException fail(String message) {
    System.err.println("stage: " + message);
    System.exit(2);
    return new IllegalStateException(message);
  }

  /** Whether a class file has `public static void main(String[])` (Java Virtual Machine Specification, chapter 4). */
  private static boolean hasMain(byte[] bytes) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
    if (in.readInt() != 0xCAFEBABE) return false;
    in.readInt();
    int count = in.readUnsignedShort();
    String[] texts = new String[count];
    for (int index = 1; index < count; index++) {
      int tag = in.readUnsignedByte();
      if (tag == 1) texts[index] = in.readUTF();
      else if (tag == 7 || tag == 8 || tag == 16 || tag == 19 || tag == 20) in.skipBytes(2);
      else if (tag == 15) in.skipBytes(3);
      else in.skipBytes(tag == 5 || tag == 6 ? 8 : 4);
      if (tag == 5 || tag == 6) index++;
    }
    in.skipBytes(6);
    in.skipBytes(2 * in.readUnsignedShort());
    for (int fields = in.readUnsignedShort(); fields > 0; fields--) skipMember(in);
    for (int methods = in.readUnsignedShort(); methods > 0; methods--) {
      int flags = in.readUnsignedShort();
      String name = texts[in.readUnsignedShort()];
      String type = texts[in.readUnsignedShort()];
      skipAttributes(in);
      if ((flags & 9) == 9 && "main".equals(name) && "([Ljava/lang/String;)V".equals(type)) return true;
    }
    return false;
  }

  private static void skipMember(DataInputStream in) throws IOException {
    in.skipBytes(6);
    skipAttributes(in);
  }

  private static void skipAttributes(DataInputStream in) throws IOException {
    for (int count = in.readUnsignedShort(); count > 0; count--) {
      in.skipBytes(2);
      in.skipBytes(in.readInt());
    }
  }
}
