import { Flags } from '@oclif/core';
import { GbuildError } from '../../errors.ts';
import { parsePublished } from '../../spec/published-port.ts';
import type { PublishedPort } from '../../spec/types.ts';

/** Flag of the commands that run one task. */
export const publishFlag = {
  publish: Flags.string({
    char: 'p',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'PORT',
    description: "make a port of the task reachable from outside: 3000, or 8080:3000 for the engine's port 8080",
  }),
};

/** Parses the ports of the flag. */
export function readPublished(written: string[] = []): PublishedPort[] {
  return written.map((text) => {
    const port = parsePublished(text);
    if (port !== undefined) return port;
    throw new GbuildError('usage', `flag --publish: "${text}" is not a port`, {
      suggestions: ['--publish 3000', '--publish 8080:3000   # ENGINEPORT:PORT', '--publish 5353/udp'],
      facts: { port: text },
    });
  });
}
