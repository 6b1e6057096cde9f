package example

import com.sun.net.httpserver.HttpServer
import java.net.InetSocketAddress
import java.nio.charset.StandardCharsets.UTF_8
import scala.util.Using

/** What the service answers. */
object Greeting:
  def asJson: String = ujson.Obj("hello" -> text, "scala" -> "3").render()

  def text: String = String(Using.resource(getClass.getResourceAsStream("/greeting.txt"))(_.readAllBytes()), UTF_8).trim

/** Answers every request with a greeting, on the port of PORT. */
object Server:
  def main(args: Array[String]): Unit =
    val server = start(sys.env.getOrElse("PORT", "8080").toInt)
    println(s"listening on ${server.getAddress.getPort}")
    sys.addShutdownHook(server.stop(0))

  def start(port: Int): HttpServer =
    val server = HttpServer.create(InetSocketAddress(port), 0)
    server.createContext("/", exchange =>
      val body = Greeting.asJson.getBytes(UTF_8)
      exchange.getResponseHeaders.set("Content-Type", "application/json")
      exchange.sendResponseHeaders(200, body.length)
      Using.resource(exchange.getResponseBody)(_.write(body))
    )
    server.start()
    server
