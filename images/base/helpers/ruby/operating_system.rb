# frozen_string_literal: true

# RubyGems loads this before anything else. Bundler takes the gems of vendor/bundle where install-gems or the repository has put some
# there, else those of the system (Debian's ruby-* packages): also where no `bundle` is called, as in bin/rails or by bundler/setup.
if !ENV['BUNDLE_PATH'] && !Dir.glob('vendor/bundle/ruby/*/specifications/*.gemspec').empty? &&
   !(File.file?('.bundle/config') && File.read('.bundle/config').match?(/^BUNDLE_PATH:/))
  ENV['BUNDLE_PATH'] = 'vendor/bundle'
end

# The one that comes with this Ruby.
own = $LOAD_PATH.map { |folder| File.join(folder, 'rubygems/defaults/operating_system.rb') }
                .find { |file| File.file?(file) && File.realpath(file) != File.realpath(__FILE__) }
load own if own
