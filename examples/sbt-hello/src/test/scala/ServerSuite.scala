package example

import scala.io.Source

class ServerSuite extends munit.FunSuite:
  test("the greeting comes from a resource"):
    assertEquals(Greeting.text, "hello from Scala")

  test("the server answers in JSON"):
    val server = Server.start(0)
    try assertEquals(Source.fromURL(s"http://127.0.0.1:${server.getAddress.getPort}/").mkString, Greeting.asJson)
    finally server.stop(0)
