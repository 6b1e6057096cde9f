import java.util.*;

/** Options of `java` that mean what attributes of a manifest mean where `java -jar` reads them. */
final class ManifestOptions {
  static List<String> of(Artifact jar) {
    List<String> options = new ArrayList<>();
    for (String each : words(jar.says("Add-Exports"))) options.add("--add-exports=" + each + "=ALL-UNNAMED");
    for (String each : words(jar.says("Add-Opens"))) options.add("--add-opens=" + each + "=ALL-UNNAMED");
    // Java knows the attribute from 22 on; what it says is not true of an older one.
    String access = jar.says("Enable-Native-Access");
    if (!access.isEmpty() && Runtime.version().feature() >= 22) options.add("--enable-native-access=" + access);
    return options;
  }

  private static List<String> words(String text) {
    return text.isEmpty() ? List.of() : List.of(text.split("\\s+"));
  }
}
