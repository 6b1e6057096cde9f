# frozen_string_literal: true

require 'minitest/autorun'
require_relative '../lib/greeting'

class GreetingTest < Minitest::Test
  def test_the_world_is_greeted
    assert_equal 'world', JSON.parse(Greeting.text)['hello']
  end

  def test_the_ruby_is_told
    assert_match(/\Ajruby 9\.4/, JSON.parse(Greeting.text('you'))['ruby'])
  end
end
