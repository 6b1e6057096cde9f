# frozen_string_literal: true

require_relative 'lib/greeting'

run Greeting.new
