import { expect, test } from 'vitest';
import { formatPublished } from '../../src/spec/published-port.ts';
import { parseSpec } from '../../src/spec/read/read-spec.ts';
import { mistakesOf, specWith } from './mistakes-of.ts';

test('a task publishes ports: of the container, or with one of the engine in front', () => {
  const { spec } = parseSpec(
    specWith('tasks: {start: {run: npm start, ports: [3000, "8080:80", 5353/udp]}, test: npm test}\n'),
  );
  expect(spec.tasks.start!.ports).toEqual([
    { port: 3000, protocol: 'tcp' },
    { port: 80, protocol: 'tcp', enginePort: 8080 },
    { port: 5353, protocol: 'udp' },
  ]);
  expect(spec.tasks.start!.ports.map(formatPublished)).toEqual(['3000', '8080:80', '5353/udp']);
  expect(spec.tasks.test!.ports).toEqual([]);
});

test('what is no port is shown at its place', () => {
  const ports = '[0, 65536, "127.0.0.1:80:80", 80/sctp, "x"]';
  expect(mistakesOf(specWith(`tasks: {start: {run: npm start, ports: ${ports}}}\n`))).toMatchInlineSnapshot(`
    [
      "4:41 tasks.start.ports[0]: expected a port such as 3000, "8080:3000" (ENGINEPORT:PORT) or 5353/udp, from 1 to 65535, found the number 0",
      "4:44 tasks.start.ports[1]: expected a port such as 3000, "8080:3000" (ENGINEPORT:PORT) or 5353/udp, from 1 to 65535, found the number 65536",
      "4:51 tasks.start.ports[2]: expected a port such as 3000, "8080:3000" (ENGINEPORT:PORT) or 5353/udp, from 1 to 65535, found "127.0.0.1:80:80"",
      "4:70 tasks.start.ports[3]: expected a port such as 3000, "8080:3000" (ENGINEPORT:PORT) or 5353/udp, from 1 to 65535, found "80/sctp"",
      "4:79 tasks.start.ports[4]: expected a port such as 3000, "8080:3000" (ENGINEPORT:PORT) or 5353/udp, from 1 to 65535, found "x"",
    ]
  `);
});

test('each port is published once', () => {
  expect(mistakesOf(specWith('tasks: {start: {run: npm start, ports: [3000, 3000/udp, "8080:3000"]}}\n'))).toEqual([
    '4:57 tasks.start.ports[2]: expected each port once, found "8080:3000" (3000 is there already)',
  ]);
});

test('a network of none has no ports, and one of the host has them at their own numbers', () => {
  const task = 'tasks: {start: {run: npm start, ports: [3000, "8080:3001", "3002:3002"]}}\n';
  expect([
    mistakesOf(specWith(`network: none\n${task}`)),
    mistakesOf(specWith(`network: host\n${task}`)),
  ]).toMatchInlineSnapshot(`
    [
      [
        "5:41 tasks.start.ports[0]: expected no ports with network: none, found "3000" (write network: bridge, or leave the ports out)",
        "5:47 tasks.start.ports[1]: expected no ports with network: none, found "8080:3001" (write network: bridge, or leave the ports out)",
        "5:60 tasks.start.ports[2]: expected no ports with network: none, found "3002:3002" (write network: bridge, or leave the ports out)",
      ],
      [
        "5:47 tasks.start.ports[1]: expected the engine's own port with network: host, found "8080:3001" (write 3001)",
      ],
    ]
  `);
});
