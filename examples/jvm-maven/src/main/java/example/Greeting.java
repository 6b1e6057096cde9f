package example;

import com.google.gson.Gson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** What the service answers. */
final class Greeting {
  private Greeting() {}

  static String asJson(String version) {
    return new Gson().toJson(Map.of("hello", text(), "java", version));
  }

  static String text() {
    try (var resource = Greeting.class.getResourceAsStream("/greeting.txt")) {
      return new String(resource.readAllBytes(), StandardCharsets.UTF_8).trim();
    } catch (IOException cause) {
      throw new UncheckedIOException(cause);
    }
  }
}
