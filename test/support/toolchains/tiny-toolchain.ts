/** Returns a toolchain as an organisation would add one: data and a Dockerfile, without code in gbuild. */
export const tinyToolchain = (name: string, made = 'echo tiny 1.2.3'): Record<string, string> => ({
  [`toolchains/${name}/toolchain.yml`]: `toolchain: 1
name: ${name}
title: Tiny
base: bookworm
versions: { linux/amd64: 1.0.0 1.2.3 2.0.0, linux/arm64: 1.0.0 1.2.3 2.0.0 }
args: { VERSION: '{version}' }
tools: { tiny: tiny }
caches: [{ name: ${name}, path: /cache/tiny }]
detect:
  any: [{ file: tiny.txt }]
  version: [{ file: .tiny-version }]
tasks:
  test: { run: 'tiny && cat tiny.txt', because: there is a tiny.txt }
layers:
  - { name: text, from: [tiny.txt], to: /app }
entrypoint:
  - { fact: { file: tiny.txt }, command: [tiny], because: there is a tiny.txt }
`,
  [`toolchains/${name}/Dockerfile`]: `ARG GBUILD_ROOT
ARG GBUILD_RUNTIME
FROM \${GBUILD_ROOT} AS build
ARG VERSION
RUN printf '#!/bin/sh\\n%s\\n' '${made}' > /usr/local/bin/tiny && chmod 0755 /usr/local/bin/tiny && \\
    mkdir -p /workspace && install -d -m 1777 /cache /cache/tiny /home/gbuild
FROM \${GBUILD_RUNTIME} AS runtime
COPY --from=build /usr/local/bin/tiny /usr/local/bin/tiny
`,
});

/** Returns a gbuild.yml that builds in it. */
export const tinySpec = (name: string): string =>
  `gbuild: 1\nname: e2e-tiny\ntoolchain: ${name}@^1\ncatalogs: [./toolchains]\n`;
