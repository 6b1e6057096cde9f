import { expect, test } from 'vitest';
import { parseSpec } from '../../../src/spec/read/read-spec.ts';
import { mistakesOf, specWith } from '../mistakes-of.ts';

test('a service is an image, or what runs in the image to build in, and says when it is ready', () => {
  const { spec } = parseSpec(
    specWith(`services:
  db: {image: "postgres:17", env: {POSTGRES_DB: x}, ready: {cmd: [pg_isready], timeout: 2m}}
  app: {run: npm start, ports: [3000], ready: {port: 3000}}
tasks:
  test: {run: npm test, services: [db, app]}
  lint: npm run lint
`),
  );
  expect({ ...spec.services }).toEqual({
    db: { image: 'postgres:17', env: { POSTGRES_DB: 'x' }, ports: [], ready: { cmd: ['pg_isready'], timeout: 120 } },
    app: { run: 'npm start', env: {}, ports: [{ port: 3000, protocol: 'tcp' }], ready: { port: 3000, timeout: 60 } },
  });
  expect([spec.tasks.test!.services, spec.tasks.lint!.services]).toEqual([['db', 'app'], []]);
});

test('a service is one of the two, has a name of DNS, and one way to be ready', () => {
  expect(
    mistakesOf(
      specWith(`services:
  A_b: {image: x}
  gbuild: {image: x}
  a: {}
  b: {image: x, run: y}
  c: {run: y, command: [z]}
  d: {image: x, ready: {cmd: [z], port: 1}}
  e: {image: x, ready: {port: 0}}
  f: {image: x, environment: {A: b}}
`),
    ),
  ).toMatchInlineSnapshot(`
    [
      "5:3 services.A_b: expected the name of a service: lower-case letters, digits and -, as in DNS, found "A_b"",
      "6:3 services.gbuild: expected the name of a service, found "gbuild" (a container is called so itself)",
      "7:6 services.a: expected image, or run for the image to build in, found an empty mapping",
      "8:22 services.b.run: expected no run beside image, found "y" (write command, as a list of words)",
      "9:24 services.c.command: expected no command without image, found a list of 1 (write run)",
      "10:24 services.d.ready: expected one of cmd and port, found a mapping with cmd, port",
      "11:31 services.e.ready.port: expected a port from 1 to 65535, found the number 0",
      "12:17 services.f.environment: expected a known key, found "environment" (did you mean env?)",
    ]
  `);
});

test('a service that a task needs must be there, and a network to meet it on', () => {
  const services = 'services: {db: {image: x}, cache: {image: y}}\n';
  const task = 'tasks:\n  a: {run: x, services: [dbs, cache]}\n';
  expect([
    mistakesOf(specWith(services + task)),
    mistakesOf(specWith(task)),
    mistakesOf(specWith(`${services}network: none\n${task}`)),
  ]).toMatchInlineSnapshot(`
    [
      [
        "6:26 tasks.a.services[0]: expected the name of a service, found "dbs" (did you mean db?)",
      ],
      [
        "5:26 tasks.a.services[0]: expected the name of a service, found "dbs" (say under the key services what it is)",
        "5:31 tasks.a.services[1]: expected the name of a service, found "cache" (say under the key services what it is)",
      ],
      [
        "7:26 tasks.a.services[0]: expected the name of a service, found "dbs" (did you mean db?)",
        "7:31 tasks.a.services[1]: expected no services where the network is none, found "cache" (write network: bridge)",
      ],
    ]
  `);
});

test('services that nobody needs are fine on any network', () => {
  expect(parseSpec(specWith('services: {db: {image: x}}\nnetwork: host\n')).warnings).toEqual([]);
});
