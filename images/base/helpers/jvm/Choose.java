import java.io.*;
import java.nio.file.*;
import java.util.*;
import java.util.stream.*;

/**
 * Finds the application among all that Maven or Gradle has built, and prints how it is laid out, its path and its module's folder, a
 * line each: `jar` (started with what it depends on), `folder` (of a framework's own layout, with the jar to start) or `distribution`
 * (an archive with a start script).
 *
 * java Choose maven|gradle [--module DIR] [--artifact FILE] [--main CLASS]
 *
 * Where several modules have one, or a module several, it is refused with their names. Exit code 2: nothing can be chosen.
 */
public final class Choose {
  private static final String NOT_APPLICATIONS = ".*-(sources|javadoc|tests|test-sources|test-fixtures)\\.jar|original-.*";
  private final boolean isMaven;
  private final String main;

  private Choose(boolean isMaven, String main) {
    this.isMaven = isMaven;
    this.main = main;
  }

  /** What a module's image would be made of. */
  private static final class Application {
    final String layout;
    final Path file;
    final Path module;
    /** Of a jar or war, what it is. */
    final Artifact artifact;

    Application(String layout, Path file, Path module, Artifact artifact) {
      this.layout = layout;
      this.file = file;
      this.module = module;
      this.artifact = artifact;
    }

    boolean isLibrary() {
      return artifact != null && artifact.kind == Artifact.Kind.LIBRARY;
    }

    String moduleName() {
      return module.toString().isEmpty() ? "." : module.toString();
    }

    @Override
    public String toString() {
      return moduleName() + " (" + file + ")";
    }
  }

  public static void main(String[] args) throws IOException {
    Map<String, String> options = new HashMap<>();
    for (int at = 1; at + 1 < args.length; at += 2) options.put(args[at], args[at + 1]);
    try {
      Choose choose = new Choose(args[0].equals("maven"), options.get("--main"));
      String artifact = options.get("--artifact");
      Application chosen = artifact == null ? choose.among(options.get("--module")) : choose.named(Paths.get(artifact).normalize());
      if (chosen.artifact != null && chosen.artifact.kind == Artifact.Kind.WAR) throw refuseWar(chosen);
      System.out.println(chosen.layout + "\n" + chosen.file + "\n" + chosen.moduleName());
    } catch (Refusal refusal) {
      Refusal.tell("jvm-stage", refusal);
    }
  }

  private Application named(Path file) throws IOException {
    if (!Files.isRegularFile(file)) throw new Refusal("there is no " + file);
    Path module = file;
    for (int up = isMaven ? 2 : 3; up > 0 && module != null; up--) module = module.getParent();
    if (module == null) module = Paths.get("");
    if (!file.toString().matches(".*\\.[jw]ar")) return new Application("distribution", file, module, null);
    return new Application("jar", file, module, Artifact.read(file));
  }

  private Application among(String module) throws IOException {
    List<Application> all = new ArrayList<>();
    for (Path each : findModules(Paths.get(module == null ? "" : module).normalize())) {
      Application application = findApplication(each);
      if (application != null) all.add(application);
    }
    if (all.isEmpty())
      throw new Refusal("no jar in " + (module == null ? "any module's " : module + "/") + (isMaven ? "target" : "build/libs")
        + ": does the task \"build\" of gbuild.yml package one?");
    List<Application> started = all.stream().filter(each -> !each.isLibrary()).collect(Collectors.toList());
    if (started.isEmpty()) for (Application each : all) if (hasMain(each.artifact)) started.add(each);
    if (started.size() == 1) return started.get(0);
    if (started.isEmpty() && all.size() == 1) return all.get(0);
    if (started.isEmpty()) throw new Refusal("no module has a class with a main method: " + list(all));
    throw new Refusal("several modules have an application: " + list(started) + "; say in gbuild.yml which one the image is of, for example:\n"
      + "  tasks: { stage: { run: jvm-stage --module " + started.get(0).moduleName() + ", needs: [build] } }");
  }

  private boolean hasMain(Artifact artifact) throws IOException {
    return main == null ? !artifact.findMains().isEmpty() : artifact.hasMain(main);
  }

  private static String list(List<Application> applications) {
    return applications.stream().map(Application::toString).collect(Collectors.joining(", "));
  }

  /** Folders of modules below one, itself included; sources, hidden folders and what was built have none. */
  private List<Path> findModules(Path top) throws IOException {
    List<Path> found = new ArrayList<>();
    Path start = top.toString().isEmpty() ? Paths.get(".") : top;
    if (!Files.isDirectory(start)) throw new Refusal("there is no folder " + top);
    Files.walkFileTree(start, new SimpleFileVisitor<Path>() {
      @Override
      public FileVisitResult preVisitDirectory(Path dir, java.nio.file.attribute.BasicFileAttributes attributes) {
        String name = dir.getFileName().toString();
        boolean isOther = name.equals("src") || name.equals("node_modules") || name.equals("target") || name.equals("build");
        if (!dir.equals(start) && (name.startsWith(".") || isOther)) return FileVisitResult.SKIP_SUBTREE;
        boolean isModule = isMaven ? Files.exists(dir.resolve("pom.xml")) : Files.isDirectory(dir.resolve("build"));
        if (isModule) found.add(dir.normalize());
        return FileVisitResult.CONTINUE;
      }
    });
    Collections.sort(found);
    return found;
  }

  /** By what says most: Spring Boot's own jar or war, Quarkus' folder, Gradle's distribution, a jar that starts, a war, the jar. */
  private Application findApplication(Path module) throws IOException {
    List<Artifact> artifacts = new ArrayList<>();
    for (Path file : list(module.resolve(isMaven ? "target" : "build/libs"), ".*\\.[jw]ar")) {
      if (!file.getFileName().toString().matches(NOT_APPLICATIONS)) artifacts.add(Artifact.read(file));
    }
    Artifact boot = fullest(module, artifacts, Artifact.Kind.BOOT);
    if (boot != null) return new Application("jar", boot.file, module, boot);
    Path quarkus = module.resolve(isMaven ? "target" : "build").resolve("quarkus-app/quarkus-run.jar");
    if (Files.exists(quarkus)) return new Application("folder", quarkus, module, null);
    Path distribution = isMaven ? null : findDistribution(module);
    if (distribution != null) return new Application("distribution", distribution, module, null);
    for (Artifact.Kind kind : List.of(Artifact.Kind.EXECUTABLE, Artifact.Kind.WAR, Artifact.Kind.LIBRARY)) {
      Artifact found = fullest(module, artifacts, kind);
      if (found != null) return new Application("jar", found.file, module, found);
    }
    return null;
  }

  /** Of several of a kind the one that holds all others, as a jar with its dependencies does. */
  private static Artifact fullest(Path module, List<Artifact> artifacts, Artifact.Kind kind) {
    List<Artifact> all = artifacts.stream().filter(each -> each.kind == kind).collect(Collectors.toList());
    if (all.size() < 2) return all.isEmpty() ? null : all.get(0);
    List<Artifact> full = all.stream().filter(each -> all.stream().allMatch(each::holds)).collect(Collectors.toList());
    if (full.size() == 1) return full.get(0);
    throw severalFiles(all.stream().map(each -> each.file).collect(Collectors.toList()));
  }

  /** Of Gradle's plugin `application`; as a tar where there is one, which keeps what is executable. */
  private static Path findDistribution(Path module) throws IOException {
    List<Path> all = list(module.resolve("build/distributions"), ".*\\.(tar|tgz|tar\\.gz)");
    if (all.isEmpty()) all = list(module.resolve("build/distributions"), ".*\\.zip");
    if (all.size() > 1) throw severalFiles(all);
    return all.isEmpty() ? null : all.get(0);
  }

  private static Refusal severalFiles(List<Path> files) {
    String names = files.stream().map(Path::toString).collect(Collectors.joining(", "));
    return new Refusal("each of these could be the application: " + names + "; say in gbuild.yml which one it is, for example:\n"
      + "  tasks: { stage: { run: jvm-stage --artifact " + files.get(0) + ", needs: [build] } }");
  }

  private static Refusal refuseWar(Application war) {
    Path folder = war.file.getParent();
    return new Refusal(war.file + " starts only in a servlet container. Name the image of one in gbuild.yml and where it looks for"
      + " applications, for example:\n  image:\n    base: tomcat:10.1-jre21\n    layers: [{ name: application, from: " + folder
      + "/, include: [" + war.file + "], to: /usr/local/tomcat/webapps }]\n    entrypoint: [catalina.sh, run]\n"
      + "  or have the build make an executable war, as Spring Boot's plugin does");
  }

  private static List<Path> list(Path folder, String pattern) throws IOException {
    if (!Files.isDirectory(folder)) return List.of();
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(Files::isRegularFile).filter(file -> file.getFileName().toString().matches(pattern)).sorted()
        .collect(Collectors.toList());
    }
  }
}
