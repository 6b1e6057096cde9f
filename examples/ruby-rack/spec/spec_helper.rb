# frozen_string_literal: true

require 'rack/test'
require_relative '../lib/greeting'
