import { expect, test } from 'vitest';
import { kamal } from '../../../../src/deliver/targets/kamal/kamal.ts';
import { errorOf } from '../../../support/assert/error-of.ts';
import { type Described, fileTemplate, image, inputOf, renderTexts } from '../../delivery-input.ts';

const labelled = { config: { ...image.config, Labels: { service: 'hello' } } };
const render = (described: Described) => renderTexts(kamal, { image: labelled, ...described })['deploy.yml'];
const refusal = async (described: Described) => {
  const { message, suggestions } = await errorOf(() => render(described));
  return [message, ...suggestions].join('\n');
};
const servers = ['192.0.2.1', '192.0.2.2'];

test('without a template the whole file is written', () => {
  const service = {
    health: '/health',
    env: { GREETING: 'it\'s "5 $" \\ 100 % <%= 1 %> ünï', NO: 'yes', RATIO: '1.10', MANY: '1,000', SYMBOL: ':on' },
    args: ['--name', 'a b', "it's", '$HOME', ''],
    cpu: 0.5,
    memory: 512 * 1024 ** 2,
    volumes: [{ from: '/srv/a b', to: '/srv', readOnly: true }],
  };
  expect(render({ service, options: { servers, host: 'hello.example.com' } })).toMatchInlineSnapshot(`
    "# Release acme/hello:1.0.1 <% ENV["VERSION"] = "1.0.1" %>
    service: "hello"
    image: "acme/hello"
    servers:
      web:
        hosts:
          - "192.0.2.1"
          - "192.0.2.2"
        cmd: "--name 'a b' 'it'\\\\''s' '$HOME' ''"
        options:
          cpus: 0.5
          memory: "536870912b"
    registry:
      server: "registry.example.com"
      username:
        - "KAMAL_REGISTRY_USERNAME"
      password:
        - "KAMAL_REGISTRY_PASSWORD"
    builder:
      arch: "amd64"
    proxy:
      host: "hello.example.com"
      app_port: 8080
      healthcheck:
        path: "/health"
    env:
      clear:
        GREETING: "it's \\"5 $\\" \\\\ 100 % <%%= 1 %> ünï"
        "NO": "yes"
        RATIO: "1.10"
        MANY: "1,000"
        SYMBOL: ":on"
    volumes:
      - "'/srv/a b:/srv:ro'"
    "
  `);
});

test('a role without proxy, and a registry of the machine itself', () => {
  const published = { ...image.published!, repository: 'localhost:5000/acme/hello' };
  const { ExposedPorts: _, ...config } = labelled.config;
  expect(render({ image: { config, published }, options: { servers, proxy: false } })).toMatchInlineSnapshot(`
    "# Release acme/hello:1.0.1 <% ENV["VERSION"] = "1.0.1" %>
    service: "hello"
    image: "acme/hello"
    servers:
      web:
        hosts:
          - "192.0.2.1"
          - "192.0.2.2"
        proxy: false
    registry:
      server: "localhost:5000"
    builder:
      arch: "amd64"
    "
  `);
});

test('what Kamal would change on the way to a container is refused', async () => {
  const options = { servers };
  const env = (value: string) => refusal({ options, service: { env: { A: value } } });
  expect(await env('')).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to kamal: A of deliver.service.env is empty, and Kamal leaves it out
    name A under env.secret of a deploy.yml of yours"
  `);
  expect(await env('a\nb')).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to kamal: A of deliver.service.env has a control character or a line end, which Kamal writes as two letters
    name A under env.secret of a deploy.yml of yours"
  `);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's notation.
  expect(await env('${HOME}')).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to kamal: A of deliver.service.env has \${...}, which the server fills in
    name A under env.secret of a deploy.yml of yours"
  `);
  expect(await env('#{1}')).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to kamal: A of deliver.service.env has # before {, $ or @, to which Kamal adds a backslash
    name A under env.secret of a deploy.yml of yours"
  `);
  expect(await refusal({ options, service: { args: ['a\nb'] } })).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to kamal: "a\\nb" has a control character or a line end
    write it into a script of the image"
  `);
});

test('an image without the label, no servers and no port are refused with the line to write', async () => {
  expect(await refusal({ image: {}, options: { servers } })).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to kamal: Kamal takes no image without the label service
    write below image in gbuild.yml, then make a new release: labels: { service: hello }"
  `);
  expect(await refusal({ service: { name: 'api' }, options: { servers } })).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to kamal: Kamal takes it for api only with the label service=api, and it has service=hello
    write below image in gbuild.yml, then make a new release: labels: { service: api }"
  `);
  expect(await refusal({})).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to kamal: nothing says the servers
    write deliver.targets.kamal.options.servers, or deliver.targets.kamal.template: your deploy.yml"
  `);
  const { ExposedPorts: _, ...config } = labelled.config;
  expect(await refusal({ image: { config }, options: { servers } })).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to kamal: its proxy needs the port
    write deliver.service.port, or deliver.targets.kamal.options.proxy: false"
  `);
});

const own = `# ours
service: hello
image: acme/hello # no tag
servers:
  web: [192.0.2.1]
registry:
  username: ci
  password: <%= %x(aws ecr get-login-password) %>
x-ours: &a {b: [1, "yes"], c: "<%= 'x' %>"} # <%= 1 %>
alias: run <%= ENV["A"] == "b" ? "c: d" : 'e # f' %> now
proxy: # of ours
  ssl: true
  host: hello.example.com
`;

test("the repository's own file keeps its comments, its Ruby and what gbuild does not know", () => {
  const service = { health: '/health', memory: 1024 };
  const template = fileTemplate('config/deploy.yml', own);
  expect(render({ template, service })).toMatchInlineSnapshot(`
    "# Release acme/hello:1.0.1 <% ENV["VERSION"] = "1.0.1" %>
    # ours
    service: hello
    image: acme/hello # no tag
    servers:
      web: [ 192.0.2.1 ]
    registry:
      username: ci
      password: <%= %x(aws ecr get-login-password) %>
      server: registry.example.com
    x-ours: &a { b: [ 1, "yes" ], c: "<%= 'x' %>" } # <%= 1 %>
    alias: run <%= ENV["A"] == "b" ? "c: d" : 'e # f' %> now
    proxy:
      # of ours
      ssl: true
      host: hello.example.com
      app_port: 8080
      healthcheck:
        path: /health
    builder:
      arch: amd64
    "
  `);
  expect(kamal.listWarnings!(inputOf(kamal, { template, service }))).toMatchInlineSnapshot(`
    [
      "kamal: deliver.service says memory, and config/deploy.yml alone is heard for these",
    ]
  `);
});

test('what the file says of port, health and proxy stays', () => {
  const template = fileTemplate('config/deploy.yml', 'proxy: {app_port: 3000}\nbuilder:\nregistry:\n');
  expect(render({ template })).toMatchInlineSnapshot(`
    "# Release acme/hello:1.0.1 <% ENV["VERSION"] = "1.0.1" %>
    proxy: { app_port: 3000 }
    builder:
      arch: amd64
    registry:
      server: registry.example.com
    service: hello
    image: acme/hello
    "
  `);
  expect(render({ template: fileTemplate('deploy.yml', 'proxy: false\n') })).not.toMatch('app_port');
});

test('another image, another registry, a tag and lines of Ruby are refused with their places', async () => {
  const file = (text: string) => refusal({ template: fileTemplate('config/deploy.yml', text) });
  expect(await file('image: acme/hello:1.0.0\nregistry: {server: abc.lan}\n')).toMatchInlineSnapshot(`
    "2 mistakes in config/deploy.yml

      config/deploy.yml:1:8  image: expected acme/hello, where the release is, found "acme/hello:1.0.0"
        > 1 | image: acme/hello:1.0.0
            |        ^^^^^^^^^^^^^^^^
        write acme/hello, or leave the key out

      config/deploy.yml:2:20  registry.server: expected registry.example.com, where the release is, found "abc.lan"
          1 | image: acme/hello:1.0.0
        > 2 | registry: {server: abc.lan}
            |                    ^^^^^^^
        write registry.example.com, or leave the key out"
  `);
  expect(await file('a: &a {image: acme/other}\n<<: *a\n')).toMatch('found "acme/other"');
  expect(await file('service: a\n<% if ENV["X"] %>\nimage: b\n<% end %>\n')).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to kamal: config/deploy.yml:2 has a line of Ruby, and gbuild reads YAML
    keep <% and %> inside of values and comments"
  `);
  expect(await file('image: <%= ENV["A"] %>/hello\n')).toMatch('found "<%= ENV["A"] %>/hello"');
  expect(await file('- 1\n')).toMatch('a mapping');
  expect(await file('registry: abc.lan\n')).toMatch('config/deploy.yml:1:11  registry: expected a mapping');
});
