import { expect, test } from 'vitest';
import { parseSpec } from '../../../src/spec/read/read-spec.ts';
import { mistakesOf, specWith } from '../mistakes-of.ts';

test('a delivery describes the service, its channels and its targets', () => {
  const { spec } = parseSpec(
    specWith(`deliver:
  service: {port: 80, health: /up, cpu: 0.5, memory: 1g, args: [a], env: {A: b}, volumes: [{from: data, to: /data/}]}
  channels: {dark-canary: {}, canary: {after: dark-canary, soak: 1h}, production: {after: canary, tag: live}}
  targets: {web: compose, cluster: {kind: kubernetes, template: ./k8s/, options: {a: [1]}}}
`),
  );
  const { service, channels, targets } = spec.deliver;
  expect({
    service: { ...service, env: { ...service.env } },
    channels: { ...channels },
    targets: { ...targets },
  }).toEqual({
    service: {
      port: 80,
      health: '/up',
      cpu: 0.5,
      memory: 1024 ** 3,
      args: ['a'],
      env: { A: 'b' },
      volumes: [{ from: 'data', to: '/data', readOnly: false }],
    },
    channels: {
      'dark-canary': {},
      canary: { after: 'dark-canary', soak: 3600 },
      production: { after: 'canary', tag: 'live' },
    },
    targets: {
      web: { kind: 'compose', options: {} },
      cluster: { kind: 'kubernetes', template: 'k8s', options: { a: [1] } },
    },
  });
});

test('every mistake of a delivery is named with its place', () => {
  expect(
    mistakesOf(
      specWith(`deliver:
  service: {name: A_b, port: 0, health: up, cpu: 0, volumes: [{from: ../x, to: data}]}
  channels:
    a: {after: b, tag: live}
    b: {after: a, tag: live}
    c: {after: d, soak: 1h}
    d: {soak: 1h, tag: 1.0.1}
    e: {after: e}
    f: {tag: production.channel-5}
  targets: {x: {template: k8s}}
`),
    ),
  ).toMatchInlineSnapshot(`
    [
      "5:19 deliver.service.name: expected the name of the service: lower-case letters, digits and -, at most 63, as in DNS, found "A_b"",
      "5:30 deliver.service.port: expected a port from 1 to 65535, found the number 0",
      "5:41 deliver.service.health: expected the path of a URL such as /health, found "up"",
      "5:50 deliver.service.cpu: expected a number of processors above zero, found the number 0",
      "5:70 deliver.service.volumes[0].from: expected the name of a volume, or an absolute folder of the machine, found "../x"",
      "5:80 deliver.service.volumes[0].to: expected an absolute path in the container, found "data" (write /data)",
      "7:16 deliver.channels.a.after: expected the name of another channel, found "b" (it would come after itself)",
      "8:16 deliver.channels.b.after: expected the name of another channel, found "a" (it would come after itself)",
      "8:24 deliver.channels.b.tag: expected a tag of its own, found "live" (the channel a has it already)",
      "10:24 deliver.channels.d.tag: expected a tag that moves, such as production, found "1.0.1" (a version never moves)",
      "11:16 deliver.channels.e.after: expected the name of another channel, found "e" (it would come after itself)",
      "12:14 deliver.channels.f.tag: expected a tag that moves, such as production, found "production.channel-5" (this is how entries of channels are named)",
      "13:13 deliver.targets.x.kind: expected text, found no such key",
    ]
  `);
});
