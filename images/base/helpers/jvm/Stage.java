import java.io.*;
import java.nio.file.*;
import java.util.*;
import java.util.stream.*;

/**
 * Lays an application out as its build tool made it, split into folders that an image takes as layers, the rarest changing first:
 * dependencies/ (others' jars), snapshots/ (jars of this build besides the application's own, and SNAPSHOTs) and application/ (all
 * else). Each file is at the place that it has below /app.
 *
 * java Stage --out DIR [--made LIST] [--main CLASS] --jar JAR [--lib JAR]...
 * java Stage --out DIR [--made LIST] [--main CLASS] --folder DIR --start FILE [--options WORDS]
 *
 * --made is a file that names the jars of this build, a line each; --lib what a jar needs at run time, in the order of the class path;
 * --start the script or jar of the folder that starts it; --options words for that script. application/app.args is the argument file
 * that `java` starts the application with, where no script does; application/start does either. Exit code 2: the call or the files are
 * not usable.
 */
public final class Stage {
  public static void main(String[] args) throws IOException {
    Map<String, String> options = new HashMap<>();
    List<Path> libs = new ArrayList<>();
    for (int at = 0; at + 1 < args.length; at += 2) {
      if (args[at].equals("--lib")) libs.add(Paths.get(args[at + 1]));
      else options.put(args[at], args[at + 1]);
    }
    Path out = Paths.get(options.get("--out"));
    Path part = Paths.get(out + ".part");
    Layers layers = new Layers(part, readMade(options.get("--made")));
    try {
      Layers.delete(part);
      if (options.containsKey("--jar")) stageJar(layers, Artifact.read(Paths.get(options.get("--jar"))), libs, options.get("--main"));
      else stageFolder(layers, Paths.get(options.get("--folder")), options.get("--start"), wordsOf(options));
    } catch (Refusal refusal) {
      Refusal.tell("stage", refusal);
    }
    layers.moveTo(out);
  }

  private static List<Path> readMade(String list) throws IOException {
    if (list == null) return List.of();
    return Files.readAllLines(Paths.get(list)).stream().map(Paths::get).collect(Collectors.toList());
  }

  private static void stageJar(Layers layers, Artifact jar, List<Path> libs, String main) throws IOException {
    if (jar.kind == Artifact.Kind.BOOT) new BootJar(jar).stage(layers);
    else new PlainJar(jar, main).stage(layers, libs);
  }

  /** A folder that a build tool laid out itself. */
  private static void stageFolder(Layers layers, Path folder, String start, String words) throws IOException {
    layers.addFolder(folder);
    if (start.endsWith(".jar")) layers.startJava(List.of("-jar", Layers.HOME + "/" + start));
    else layers.startScript(Layers.HOME + "/" + start + words);
  }

  private static String wordsOf(Map<String, String> options) {
    String main = options.containsKey("--main") ? " -main " + options.get("--main") : "";
    return options.containsKey("--options") ? main + " " + options.get("--options") : main;
  }
}
