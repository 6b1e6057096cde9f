# frozen_string_literal: true

require 'json'

# What the server says.
module Greeting
  def self.text(name = 'world')
    JSON.generate(hello: name, ruby: "#{RUBY_ENGINE} #{JRUBY_VERSION}")
  end
end
