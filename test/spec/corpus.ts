/** Specs as real repositories would have them; every one is valid. */
export const corpus: Record<string, string> = {
  smallest: 'gbuild: 1\nname: hello\ntoolchain: node\n',
  node: `# A web service
gbuild: 1
name: acme/hello # the repository
registry: registry.example.com:5000
toolchain: node@^22
env:
  NODE_ENV: test
  GREETING: "grüß dich, 世界"
passEnv: [CI, AWS_*]
tasks:
  build: npm run build
  lint: npm run lint
  test:
    run: |
      npm ci
      npm test
    needs: [build, lint]
    timeout: 1h30m
    reports: [reports/**/*.xml]
image:
  expose: [8080]
  entrypoint: [node, dist/server.js]
  health:
    cmd: [node, dist/health.js]
    interval: 30s
    retries: 3
`,
  platforms: `gbuild: 1
name: shop
toolchain: node@^22
image:
  platforms: [linux/amd64, linux/arm64/v8]
`,
  jre: `gbuild: 1
name: shop
toolchain: jvm@21
image:
  jre: {kind: jlink, modules: [jdk.localedata]}
`,
  everything: `gbuild: 1
name: shop.api
toolchain: {name: node, version: ">=22 <25", packages: [git, curl], corepack: true}
env: {}
passEnv: []
caches:
  - name: npm
    path: /cache/npm/
    env: {npm_config_cache: /cache/npm}
  - {name: next, path: /cache/next}
resources: {cpus: 1.5, memory: 512m, pids: 100}
network: none
sync: {include: [.env, "vendor/**"]}
tasks:
  'lint:js': {run: [npx, biome, "."], workdir: ./packages/api/, split: [./packages/**/*.js], env: {FORCE_COLOR: "1"}}
image:
  base: registry.example.com/base/debian@sha256:${'0123456789abcdef'.repeat(4)}
  layers:
    - name: dependencies
      from: node_modules
      exclude: ['**/*.md']
    - name: application
      from: [dist, package.json]
      include: ['**/*.js', package.json]
      to: /srv/app
  build: 'lint:js'
  cmd: [server.js]
  expose: [53/udp, '443', 8080]
  env: {PORT: '8080'}
  user: 1000
  workdir: /srv/app
  labels: {com.example.team: shop}
  health: {cmd: [wget, -qO-, 'http://localhost:8080/'], timeout: 2s, startPeriod: 1m}
`,
  anchors: `gbuild: 1
name: monorepo
toolchain: ./build-image
tasks:
  api: &task
    run: make
    env: &env {LEVEL: info}
  web: *task
  docs: {run: make docs, env: *env}
image: {build: false, layers: auto, base: auto}
`,
  windows:
    '\ufeffgbuild: 1\r\nname: hello\r\ntoolchain: "registry.example.com/node:22"\r\ntasks:\r\n  test: |\r\n    npm test\r\n',
};
