package example;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.Test;

class ServerTest {
  @Test
  void theGreetingComesFromAResource() {
    assertEquals("hello from the JVM", Greeting.text());
  }

  @Test
  void theServerAnswersInJson() throws IOException, InterruptedException {
    var server = Server.start(0);
    try {
      var uri = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
      var answer = HttpClient.newHttpClient().send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
      var version = System.getProperty("java.specification.version");
      assertEquals(200, answer.statusCode());
      assertEquals(Greeting.asJson(version), answer.body());
    } finally {
      server.stop(0);
    }
  }
}
