# frozen_string_literal: true

require 'json'
require 'rack'

# Answers every request with a greeting.
class Greeting
  def call(env)
    request = Rack::Request.new(env)
    name = request.params.fetch('name', 'world')
    [200, { 'content-type' => 'application/json' }, [JSON.generate(hello: name, ruby: RUBY_VERSION)]]
  end
end
