import java.io.*;
import java.nio.file.*;
import java.util.*;
import java.util.stream.*;

/**
 * A jar whose class path is its own manifest's, or the one that the build tool tells. It stays as it is. Started with `-jar` where it
 * has all it needs by its manifest or inside; else with that class path, and options for what `-jar` reads in the manifest.
 */
final class PlainJar {
  private final Artifact jar;
  private final String main;
  /** Libraries by their place below the home, in the order of the class path. */
  private final Map<String, Path> placed = new LinkedHashMap<>();

  PlainJar(Artifact jar, String main) {
    this.jar = jar;
    this.main = main;
  }

  void stage(Layers layers, List<Path> libs) throws IOException {
    for (Path lib : libs) if (!Files.isRegularFile(lib)) throw new Refusal(lib + " is no file: the build must package what it depends on");
    Map<String, Path> named = findNamed(libs);
    List<Path> outside = isShaded() ? List.of() : findOutside(libs);
    boolean isWhole = startsItself() && namesAll(named, outside);
    if (isWhole) placed.putAll(named);
    else outside.forEach(this::place);
    layers.addOwn(jar.file, jar.name());
    for (Map.Entry<String, Path> each : placed.entrySet()) layers.addLibrary(each.getValue(), each.getKey());
    layers.startJava(isWhole ? List.of("-jar", Layers.HOME + "/" + jar.name()) : describeStart());
  }

  private boolean startsItself() {
    return jar.kind == Artifact.Kind.EXECUTABLE && (main == null || main.equals(jar.says("Main-Class")));
  }

  /** What the manifest's class path names: files beside the jar, else what it depends on, by their names. */
  private Map<String, Path> findNamed(List<Path> libs) {
    Map<String, Path> found = new LinkedHashMap<>();
    for (String entry : jar.says("Class-Path").split("\\s+")) {
      Path place = Paths.get(entry).normalize();
      if (entry.isEmpty() || place.isAbsolute() || place.startsWith("..") || entry.contains(":")) continue;
      Path beside = jar.file.resolveSibling(entry);
      Optional<Path> lib = libs.stream().filter(each -> each.getFileName().equals(place.getFileName())).findFirst();
      if (Files.isRegularFile(beside)) found.put(place.toString(), beside);
      else if (lib.isPresent()) found.put(place.toString(), lib.get());
    }
    return found;
  }

  /** Whether the manifest names all that is outside of the jar. What has no files besides META-INF, no class path needs. */
  private static boolean namesAll(Map<String, Path> named, List<Path> outside) throws IOException {
    Set<Path> names = named.values().stream().map(Path::getFileName).collect(Collectors.toSet());
    for (Path lib : outside) if (!names.contains(lib.getFileName()) && !contentOf(lib).isEmpty()) return false;
    return true;
  }

  /** What is not in the jar, as the libraries of a jar with its dependencies are. */
  private List<Path> findOutside(List<Path> libs) throws IOException {
    List<Path> outside = new ArrayList<>();
    for (Path lib : libs) if (contentOf(lib).stream().noneMatch(jar.names::contains)) outside.add(lib);
    return outside;
  }

  private static List<String> contentOf(Path lib) throws IOException {
    if (!lib.toString().endsWith(".jar")) return List.of(lib.toString());
    return Artifact.read(lib).names.stream().filter(name -> !name.startsWith("META-INF/") && !name.equals("module-info.class"))
      .collect(Collectors.toList());
  }

  /** maven-shade-plugin, which may rename what it takes in, keeps the jar that it was given. */
  private boolean isShaded() {
    return Files.exists(jar.file.resolveSibling("original-" + jar.name()));
  }

  /** Two jars of one name stay two. */
  private void place(Path lib) {
    String name = lib.getFileName().toString();
    String place = "lib/" + name;
    for (int count = 2; placed.containsKey(place); count++) place = "lib/" + count + "-" + name;
    placed.put(place, lib);
  }

  private List<String> describeStart() throws IOException {
    if (!jar.says("Launcher-Agent-Class").isEmpty())
      throw new Refusal(jar.file + " names an agent in its manifest (Launcher-Agent-Class), which only `java -jar` starts: have the build"
        + " write what the jar depends on into its manifest (Class-Path), or into the jar");
    List<String> arguments = new ArrayList<>(ManifestOptions.of(jar));
    String classpath = Stream.concat(Stream.of(jar.name()), placed.keySet().stream()).map(each -> Layers.HOME + "/" + each)
      .collect(Collectors.joining(":"));
    arguments.addAll(List.of("-cp", classpath, chooseMain()));
    return arguments;
  }

  private String chooseMain() throws IOException {
    if (main != null) return main;
    if (jar.kind == Artifact.Kind.EXECUTABLE) return jar.says("Main-Class");
    Set<String> mains = jar.findMains();
    if (mains.size() == 1) return mains.iterator().next();
    if (mains.isEmpty()) throw new Refusal("no class has a main method: name what the image starts in image.entrypoint of gbuild.yml");
    throw new Refusal("several classes have a main method: " + String.join(", ", mains)
      + "; name one: in the jar's manifest (Main-Class), or with --main in the task \"stage\" of gbuild.yml");
  }
}
