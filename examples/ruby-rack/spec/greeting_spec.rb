# frozen_string_literal: true

RSpec.describe Greeting do
  include Rack::Test::Methods

  let(:app) { described_class.new }

  it 'greets the world' do
    get '/'
    expect(last_response.status).to eq(200)
    expect(JSON.parse(last_response.body)).to include('hello' => 'world')
  end

  it 'greets who is named' do
    get '/?name=ada'
    expect(JSON.parse(last_response.body)).to include('hello' => 'ada')
  end
end
