import java.io.*;
import java.nio.file.*;
import java.time.LocalDateTime;
import java.util.*;
import java.util.stream.*;
import java.util.zip.*;

/**
 * Copies a jar of this build so that equal content gives equal bytes, whenever and wherever it was built: entries have one time and
 * an order of their own. What is in each stays byte for byte, also the manifest and a signature.
 */
final class Repack {
  /** The first time that a zip can say. */
  private static final LocalDateTime CONSTANT_TIME = LocalDateTime.of(1980, 1, 1, 0, 0);

  static void copy(Path jar, Path target) throws IOException {
    try (ZipFile zip = new ZipFile(jar.toFile()); ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(target))) {
      Set<String> written = new HashSet<>();
      for (ZipEntry entry : order(zip)) {
        if (!written.add(entry.getName())) continue;
        try (InputStream content = zip.getInputStream(entry)) {
          out.putNextEntry(headerOf(entry));
          content.transferTo(out);
          out.closeEntry();
        }
      }
    }
  }

  /** The manifest first, as readers of streams want it; libraries last and in their order, which is that of Boot's class path. */
  private static List<ZipEntry> order(ZipFile zip) {
    List<? extends ZipEntry> all = zip.stream().collect(Collectors.toList());
    List<ZipEntry> sorted = all.stream().filter(entry -> !isLibrary(entry))
      .sorted(Comparator.comparing((ZipEntry entry) -> rankOf(entry.getName())).thenComparing(ZipEntry::getName)).collect(Collectors.toList());
    all.stream().filter(Repack::isLibrary).forEach(sorted::add);
    return sorted;
  }

  private static int rankOf(String name) {
    return name.equals("META-INF/") ? 0 : name.equals("META-INF/MANIFEST.MF") ? 1 : 2;
  }

  private static boolean isLibrary(ZipEntry entry) {
    return entry.getName().endsWith(".jar");
  }

  /** A stored entry stays stored: Spring Boot reads libraries where they are. */
  private static ZipEntry headerOf(ZipEntry entry) {
    ZipEntry header = new ZipEntry(entry.getName());
    header.setTimeLocal(CONSTANT_TIME);
    header.setComment(entry.getComment());
    header.setMethod(entry.getMethod());
    if (entry.getMethod() == ZipEntry.STORED) {
      header.setSize(entry.getSize());
      header.setCrc(entry.getCrc());
    }
    return header;
  }
}
