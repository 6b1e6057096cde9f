package example;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import org.slf4j.LoggerFactory;

/** Answers every request with a greeting, on the port of PORT. */
public final class Server {
  private Server() {}

  public static void main(String[] args) throws IOException {
    var server = start(Integer.parseInt(System.getenv().getOrDefault("PORT", "8080")));
    LoggerFactory.getLogger(Server.class).info("listening on {}", server.getAddress().getPort());
    Runtime.getRuntime().addShutdownHook(new Thread(() -> server.stop(0)));
  }

  static HttpServer start(int port) throws IOException {
    var server = HttpServer.create(new InetSocketAddress(port), 0);
    server.createContext("/", exchange -> {
      var body = Greeting.asJson(System.getProperty("java.specification.version")).getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", "application/json");
      exchange.sendResponseHeaders(200, body.length);
      try (var response = exchange.getResponseBody()) {
        response.write(body);
      }
    });
    server.start();
    return server;
  }
}
