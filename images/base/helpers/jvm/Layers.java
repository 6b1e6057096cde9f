import java.io.*;
import java.nio.file.*;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.*;
import java.util.*;
import java.util.stream.*;

/** The folders that an image takes as layers, as they are filled. */
final class Layers {
  /** Where the application will be in the image. */
  static final String HOME = "/app";
  private final Path out;
  /** Digests of the jars of this build. */
  private final Set<String> made = new HashSet<>();

  Layers(Path out, List<Path> made) throws IOException {
    this.out = out;
    for (Path jar : made) this.made.add(digestOf(jar));
  }

  /** A jar that the application is started with, at its place below the home. Of this build it gets the bytes of its content alone. */
  void addLibrary(Path jar, String place) throws IOException {
    boolean isMade = made.contains(digestOf(jar));
    Path target = openPlace(isMade || place.contains("-SNAPSHOT") ? "snapshots" : "dependencies", place);
    if (isMade) Repack.copy(jar, target);
    else Files.copy(jar, target);
    setMode(target, false);
  }

  /** What no build makes anew, although it is no jar. */
  void addRare(String place, InputStream content) throws IOException {
    write(openPlace("dependencies", place), content, false);
  }

  void add(String place, InputStream content) throws IOException {
    write(openPlace("application", place), content, false);
  }

  /** The application's own jar. */
  void addOwn(Path jar, String place) throws IOException {
    Path target = openPlace("application", place);
    Repack.copy(jar, target);
    setMode(target, false);
  }

  /** All that is in a folder, at its place there; jars besides those in lib/ are the application's own. */
  void addFolder(Path folder) throws IOException {
    for (Path file : listFiles(folder)) {
      String place = folder.relativize(file).toString();
      if (!place.endsWith(".jar")) addFile(file, place);
      else if (place.startsWith("lib/")) addLibrary(file, place);
      else addOwn(file, place);
    }
  }

  private void addFile(Path file, String place) throws IOException {
    try (InputStream content = Files.newInputStream(file)) {
      write(openPlace("application", place), content, Files.isExecutable(file));
    }
  }

  /** Has `java` start the application with these arguments, one of which may name files of the home. */
  void startJava(List<String> arguments) throws IOException {
    List<String> lines = arguments.stream().map(Layers::quote).collect(Collectors.toList());
    Files.write(openPlace("application", "app.args"), lines);
    startScript("java @" + HOME + "/app.args");
  }

  /** Has a command start the application. The program becomes the process itself, so that signals arrive. */
  void startScript(String command) throws IOException {
    write(openPlace("application", "start"), new ByteArrayInputStream(("#!/bin/sh\nexec " + command + " \"$@\"\n").getBytes()), true);
  }

  /**
   * Makes the layers of another folder those that were filled. A file that is the same there is left alone, for an image of what has not
   * changed is the same image.
   */
  void moveTo(Path target) throws IOException {
    for (String layer : List.of("dependencies", "snapshots", "application")) moveLayer(out.resolve(layer), target.resolve(layer));
    delete(out);
  }

  private static void moveLayer(Path from, Path to) throws IOException {
    for (Path old : listFiles(to)) if (!isSame(old, from.resolve(to.relativize(old)))) Files.delete(old);
    for (Path file : listFiles(from)) {
      Path target = to.resolve(from.relativize(file));
      if (Files.exists(target)) continue;
      Files.createDirectories(target.getParent());
      Files.move(file, target);
    }
    deleteEmptyFolders(to);
  }

  private static boolean isSame(Path one, Path other) throws IOException {
    return Files.isRegularFile(other) && Files.isExecutable(one) == Files.isExecutable(other) && digestOf(one).equals(digestOf(other));
  }

  private static List<Path> listFiles(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) return List.of();
    try (Stream<Path> all = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
      return all.filter(Files::isRegularFile).sorted().collect(Collectors.toList());
    }
  }

  private static void deleteEmptyFolders(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) return;
    List<Path> folders;
    try (Stream<Path> all = Files.walk(folder)) {
      folders = all.filter(Files::isDirectory).sorted(Comparator.reverseOrder()).collect(Collectors.toList());
    }
    for (Path each : folders) {
      try (Stream<Path> content = Files.list(each)) {
        if (content.findAny().isPresent()) continue;
      }
      Files.delete(each);
    }
  }

  private Path openPlace(String layer, String place) throws IOException {
    Path top = out.resolve(layer);
    Path target = top.resolve(place).normalize();
    if (!target.startsWith(top) || target.equals(top)) throw new Refusal("an entry leads out of its archive: " + place);
    Files.createDirectories(target.getParent());
    return target;
  }

  private static void write(Path target, InputStream content, boolean isExecutable) throws IOException {
    Files.copy(content, target);
    setMode(target, isExecutable);
  }

  private static void setMode(Path file, boolean isExecutable) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(isExecutable ? "rwxr-xr-x" : "rw-r--r--"));
  }

  /** As argument files want it: words without quotes end at white space. */
  private static String quote(String text) {
    return text.matches("[\\w.,:=/@+-]+") ? text : '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }

  private static String digestOf(Path file) throws IOException {
    try (DigestInputStream in = new DigestInputStream(Files.newInputStream(file), MessageDigest.getInstance("SHA-256"))) {
      in.transferTo(OutputStream.nullOutputStream());
      return new java.math.BigInteger(1, in.getMessageDigest().digest()).toString(16);
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  static void delete(Path path) throws IOException {
    if (!Files.exists(path)) return;
    try (Stream<Path> all = Files.walk(path)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).collect(Collectors.toList())) Files.delete(each);
    }
  }
}
