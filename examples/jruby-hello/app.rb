# frozen_string_literal: true

require_relative 'lib/greeting'

# The JDK's own server: Java is as near as Ruby.
server = com.sun.net.httpserver.HttpServer.create(java.net.InetSocketAddress.new(8080), 0)
server.create_context('/') do |exchange|
  body = Greeting.text.to_java_bytes
  exchange.send_response_headers(200, body.length)
  exchange.response_body.write(body)
  exchange.close
end
server.start
sleep
