import { z } from 'zod';
import { publishedPorts } from '../ports.ts';
import { mapping } from './mapping.ts';
import { anyText, duration, imageReference, variables, words } from './scalars.ts';
import { command } from './task-schema.ts';

/** Schema of a service's name, a DNS label; `gbuild` is the name of every task's container. */
const serviceName = z
  .string()
  .regex(/^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'the name of a service: lower-case letters, digits and -, as in DNS')
  .refine(
    (name) => name !== 'localhost' && name !== 'gbuild',
    'the name of a service | a container is called so itself',
  );

const wordsHint = (what: string) => z.array(anyText, { error: `${what} as a list of words` }).pipe(words);
const port = z.int().min(1, 'a port from 1 to 65535').max(65_535, 'a port from 1 to 65535');

const readySchema = mapping({
  cmd: z.exactOptional(wordsHint('the command')).describe('Run in its container until it ends with exit code 0'),
  port: z.exactOptional(port).describe('Until it takes connections at this port'),
  timeout: duration.default(60).describe('The run fails when it is not ready by then'),
}).superRefine(({ cmd, port: asked }, context) => {
  if (cmd !== undefined && asked !== undefined) context.addIssue('one of cmd and port');
});

const serviceSchema = mapping({
  image: z.exactOptional(imageReference).describe('Pulled where it is missing; absent: the image to build in'),
  command: z.exactOptional(wordsHint('the command')).describe("In place of the image's own, behind its entrypoint"),
  run: z
    .exactOptional(command)
    .describe('Without image: what runs in the image to build in, in the workspace, as a task'),
  env: variables.default({}).describe('Variables of this service'),
  ports: publishedPorts
    .default([])
    .describe('Ports to be reached from outside; tasks need none to reach it by its name'),
  ready: readySchema
    .prefault({})
    .describe("When tasks may start: by default when the image's own HEALTHCHECK says so, else when it runs"),
}).superRefine(({ image, command: words, run }, context) => {
  if (image === undefined && run === undefined) context.addIssue('image, or run for the image to build in');
  if (image !== undefined && run !== undefined)
    context.addIssue({
      code: 'custom',
      path: ['run'],
      message: 'no run beside image | write command, as a list of words',
    });
  if (image === undefined && words !== undefined)
    context.addIssue({ code: 'custom', path: ['command'], message: 'no command without image | write run' });
});

export const servicesSchema = z.record(serviceName, serviceSchema);
