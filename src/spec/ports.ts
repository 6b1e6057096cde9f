import { z } from 'zod';
import { parsePublished } from './published-port.ts';

const expected = 'a port such as 3000, "8080:3000" (ENGINEPORT:PORT) or 5353/udp, from 1 to 65535';

/** Schema of the ports that the engine publishes, each once. */
export const publishedPorts = z
  .array(
    z.union([z.int(), z.string()], { error: expected }).transform((written, context) => {
      const port = parsePublished(String(written));
      if (port !== undefined) return port;
      context.addIssue(expected);
      return z.NEVER;
    }),
  )
  .superRefine((ports, context) => {
    for (const [index, { port, protocol }] of ports.entries())
      if (ports.findIndex((other) => other.port === port && other.protocol === protocol) < index)
        context.addIssue({ code: 'custom', path: [index], message: `each port once | ${port} is there already` });
  });
