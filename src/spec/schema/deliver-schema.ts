import { parse } from 'semver';
import { z } from 'zod';
import { parseEntryTag } from '../../channel/entry-tag.ts';
import { isTag } from '../../oci/reference.ts';
import { mapping } from './mapping.ts';
import { anyText, containerPath, duration, memory, text, variables, workspacePath } from './scalars.ts';

/** Schema of a DNS label: deployers make host names, units and resources of it. */
const label = (what: string) =>
  z
    .string()
    .regex(/^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/, `${what}: lower-case letters, digits and -, at most 63, as in DNS`);

const port = z.int('a port from 1 to 65535').min(1, 'a port from 1 to 65535').max(65_535, 'a port from 1 to 65535');

const healthPath = text.regex(/^\/[!-~]*$/, 'the path of a URL such as /health');

const volumeSource = text.regex(
  /^(?:\/(?!.*(?:^|\/)\.\.(?:\/|$))[^:\0]*|[A-Za-z0-9][A-Za-z0-9_.-]*)$/,
  'the name of a volume, or an absolute folder of the machine',
);

const volumeSchema = mapping({
  from: volumeSource.describe('The name of a volume, or an absolute folder of the machine'),
  to: containerPath.describe('Where it is in the container'),
  readOnly: z.boolean().default(false).describe('Whether the application may only read it'),
});

const serviceSchema = mapping({
  name: z
    .exactOptional(label('the name of the service'))
    .describe('How deployers call it; by default the last part of name'),
  port: z.exactOptional(port).describe('The port it listens on; by default the only TCP port of image.expose'),
  health: z.exactOptional(healthPath).describe('The path that answers GET and HEAD with 200 while it is healthy'),
  env: variables.default({}).describe('Variables of where it runs; those of the application belong to image.env'),
  cpu: z
    .exactOptional(
      z
        .number('a number of processors above zero')
        .gt(0, 'a number of processors above zero')
        .max(4096, 'at most 4096 processors'),
    )
    .describe('Processors, also parts: 0.5'),
  memory: z.exactOptional(memory).describe('512m, 2g'),
  args: z.exactOptional(z.array(anyText)).describe("Arguments in place of the image's own, behind its entrypoint"),
  volumes: z.array(volumeSchema).default([]).describe('Folders that outlive a deployment'),
});

const channelName = label('the name of a channel');

const movingTag = text.superRefine((tag, context) => {
  if (!isTag(tag)) context.addIssue('a tag such as production: letters, digits and . _ -');
  else if (parseEntryTag(tag) !== undefined)
    context.addIssue('a tag that moves, such as production | this is how entries of channels are named');
  else if (parse(tag)?.version === tag)
    context.addIssue('a tag that moves, such as production | a version never moves');
});

const channelSchema = mapping({
  after: z.exactOptional(channelName).describe('The channel that must hold a release before this one may'),
  soak: z.exactOptional(duration).describe('How long the channel before must have held it: 30m, 24h'),
  tag: z.exactOptional(movingTag).describe('A tag of the registry that follows the channel, for what pulls by tag'),
}).superRefine(({ after, soak }, context) => {
  if (soak === undefined || after !== undefined) return;
  context.addIssue({
    code: 'custom',
    path: ['soak'],
    message: 'soak with after | it says how long the channel before holds a release',
  });
});

const targetMapping = mapping({
  kind: text.describe('What it is for: compose, kubernetes, ecs, ...'),
  template: z
    .exactOptional(workspacePath)
    .describe('A file or folder of the repository that the release is written into'),
  options: z.record(text, z.unknown()).default({}).describe('What only this kind of target knows'),
});

const targetSchema = z.union(
  [text.transform((kind): z.output<typeof targetMapping> => ({ kind, options: {} })), targetMapping],
  { error: 'the kind of a target, or a mapping with kind' },
);

/** Schema of how releases are handed over: a description of the service, channels, and targets. */
export const deliverSchema = mapping({
  service: serviceSchema
    .prefault({})
    .describe('What deployers must know of the application; by default what image says'),
  channels: z
    .record(channelName, channelSchema)
    .default({})
    .describe('Names that point at a release, such as canary and production'),
  targets: z
    .record(label('the name of a target'), targetSchema)
    .default({})
    .describe('Systems that take releases, each by a name'),
});
