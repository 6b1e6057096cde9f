import { expect, test } from 'vitest';
import { codedeploy } from '../../../../src/deliver/targets/codedeploy/codedeploy.ts';
import { renderTexts } from '../../delivery-input.ts';
import { oddTexts, readArray } from '../../revision/bash-words.ts';

test('the zip pulls the digest before anything stops, then starts it and waits until it is healthy', () => {
  const texts = renderTexts(codedeploy, {
    service: { health: '/health', args: ['a b'], cpu: 2 },
    options: { publish: 80 },
  });
  expect(Object.keys(texts)).toEqual(['appspec.yml', 'common_functions.sh', 'pull.sh', 'start.sh', 'validate.sh']);
  expect(texts['appspec.yml']).toMatchInlineSnapshot(`
    "version: 0.0
    os: linux
    hooks:
      BeforeInstall:
        - location: pull.sh
          timeout: 1800
      ApplicationStart:
        - location: start.sh
          timeout: 300
      ValidateService:
        - location: validate.sh
    "
  `);
  expect(texts['common_functions.sh']?.split('\n').slice(4, 11)).toMatchInlineSnapshot(`
    [
      "",
      "service=hello",
      "image=registry.example.com/acme/hello@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
      "port=80",
      "health_url=http://localhost:80/health",
      "attempts=30",
      "interval=10",
    ]
  `);
  expect(texts['start.sh']).toMatchInlineSnapshot(`
    "#!/usr/bin/env bash
    set -eo pipefail
    # shellcheck source=common_functions.sh
    . "$(dirname "$0")/common_functions.sh"

    run=(
      --restart
      unless-stopped
      --publish
      80:8080
      --cpus
      2
    )
    args=(
      'a b'
    )

    remove_container
    docker run --detach --name "$service" "\${run[@]}" "$image" "\${args[@]}" >/dev/null
    say "started $image"
    "
  `);
});

test('each value is one word, as it was written', () => {
  const env = Object.fromEntries(oddTexts.map((text, index) => [`KEY_${index}`, text]));
  const script = renderTexts(codedeploy, { service: { env, args: oddTexts } })['start.sh']!;
  const arrays = script.slice(script.indexOf('run=('), script.indexOf('\nremove_container'));
  expect(readArray(arrays, 'args')).toEqual(oddTexts);
  expect(readArray(arrays, 'run').slice(4)).toEqual(
    Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
  );
});

test('a service without a port publishes none and is healthy while it runs', () => {
  const texts = renderTexts(codedeploy, { image: { config: {} } });
  expect(texts['start.sh']).not.toContain('--publish');
  expect(texts['common_functions.sh']).toContain("port=\nhealth_url=''\n");
});
