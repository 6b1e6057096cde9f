import { z } from 'zod';
import { architectures, parsePlatform, suggestPlatform } from '../../oci/platform.ts';
import { mapping } from './mapping.ts';
import {
  anyText,
  containerPath,
  duration,
  imageFolder,
  imageReference,
  text,
  variables,
  words,
  workspaceGlob,
  workspaceSource,
} from './scalars.ts';

const wordsHint = (what: string) => z.array(anyText, { error: `${what} as a list of words` }).pipe(words);

const portExpected = 'a port such as 8080, 8080/tcp or 53/udp';
const port = z.union([z.int(), z.string()], { error: portExpected }).transform((written, context) => {
  const [, number = '', protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(String(written)) ?? [];
  if (Number(number) >= 1 && Number(number) <= 65535) return `${Number(number)}/${protocol}`;
  context.addIssue(`${portExpected}, from 1 to 65535`);
  return z.NEVER;
});

const layerName = text.regex(/^[a-z0-9][a-z0-9._-]*$/, 'the name of a layer: lower-case letters, digits and . _ -');

const layerPath = workspaceSource.superRefine((path, context) => {
  if (/[*?]/.test(path)) context.addIssue('a file or folder | globs go under include');
});

const layerSchema = mapping({
  name: layerName.describe('Name of the layer in the plan and in the history of the image'),
  from: z
    .union([layerPath.transform((path) => [path]), z.array(layerPath).min(1, 'at least one path')], {
      error: 'a path in the repository, or a list of them',
    })
    .describe('Files and folders of the repository; with a slash at its end, what is in the folder'),
  include: z.array(workspaceGlob).default([]).describe('Globs of what is taken; everything when empty'),
  exclude: z.array(workspaceGlob).default([]).describe('Globs of what is left out'),
  to: containerPath.default('/app').describe('Folder of the image that takes the place of the repository'),
});

const healthSchema = mapping({
  cmd: wordsHint('the command').describe('Exit code 0 means healthy'),
  interval: z.exactOptional(duration).describe('Time between two checks'),
  timeout: z.exactOptional(duration).describe('A check taking longer has failed'),
  retries: z
    .exactOptional(z.int().min(1, 'a whole number from 1 on'))
    .describe('Failures in a row that mean unhealthy'),
  startPeriod: z.exactOptional(duration).describe('Failures in this time after the start do not count'),
});

const smokeExpected = 'exit, health, or a mapping with one of port, cmd and until';

const smokeMapping = mapping({
  port: z
    .exactOptional(z.int().min(1, 'a port from 1 to 65535').max(65_535, 'a port from 1 to 65535'))
    .describe('Ready when it takes connections at this port'),
  cmd: z.exactOptional(wordsHint('the command')).describe('Ready when this ends in its container with exit code 0'),
  until: z
    .exactOptional(z.enum(['exit', 'health'], { error: 'exit or health' }))
    .describe('exit: passes when it ends with exit code 0; health: ready when its health check says so'),
  timeout: duration.default(60).describe('The image is refused if it is not ready by then'),
  env: variables.default({}).describe('Variables of this container alone'),
  services: z.array(text).default([]).describe('Names of the services that it needs; without any it has no network'),
  readOnly: z.boolean().default(false).describe('Only /tmp and the folders of image.writable can be written to'),
}).superRefine(({ port, cmd, until }, context) => {
  const said = [port, cmd, until].filter((each) => each !== undefined);
  if (said.length !== 1) context.addIssue('one of port, cmd and until');
});

const smokeSchema = z.union(
  [z.enum(['exit', 'health']).transform((until) => smokeMapping.parse({ until })), smokeMapping],
  { error: smokeExpected },
);

const user = z
  .union([text, z.int().min(0, 'a user id').transform(String)], { error: 'a user such as 1000, "1000:1000" or node' })
  .pipe(z.string().regex(/^[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+)?$/, 'a user such as 1000, "1000:1000" or node'));

const labelName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/, 'the name of a label such as com.example.team')
  .regex(/^(?!io\.gbuild\.)/, 'the name of a label | io.gbuild.* is written by gbuild itself');

const jreKind = text.regex(/^[a-z][a-z0-9-]*$/, 'a kind of Java runtime such as jlink');
const jreModule = text.regex(/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/, 'the name of a module such as jdk.localedata');

const jreSchema = z.union(
  [
    jreKind.transform((kind) => ({ kind, modules: [] as string[] })),
    mapping({
      kind: jreKind.describe('jlink: of the modules that the application needs'),
      modules: z.array(jreModule).default([]).describe('Modules that nothing in the application refers to'),
    }),
  ],
  { error: 'jlink, or a mapping of kind and modules' },
);

const platform = text.transform((written, context) => {
  const name = parsePlatform(written);
  if (name !== undefined) return name;
  const meant = suggestPlatform(written);
  const hint = meant === undefined ? `known after linux/ are ${architectures.join(', ')}` : `did you mean ${meant}?`;
  context.addIssue(`a platform such as linux/amd64 or linux/arm64 | ${hint}`);
  return z.NEVER;
});

const platforms = z
  .array(platform)
  .min(1, 'at least one platform')
  .superRefine((names, context) => {
    for (const [index, name] of names.entries())
      if (names.indexOf(name) < index)
        context.addIssue({ code: 'custom', path: [index], message: `each platform once | ${name} is there already` });
  })
  .transform((names) => [...names].sort());

const imageMapping = mapping({
  base: z
    .union([z.literal('auto'), imageReference], { error: 'auto, or an image reference' })
    .default('auto')
    .describe('Base of the image: auto is the runtime image of the toolchain, scratch is an empty one'),
  jre: z
    .exactOptional(jreSchema)
    .describe('The Java runtime of the image: jlink makes one of the modules that the application needs'),
  platforms: z
    .exactOptional(platforms)
    .describe("Platforms of the image: several give an index, its layers the same for each; absent: the engine's own"),
  layers: z
    .union([z.literal('auto'), z.array(layerSchema)], { error: 'auto, or a list of layers' })
    .default('auto')
    .describe('Layers of the image, what changes rarely first; auto is what the toolchain knows to do'),
  build: z
    .exactOptional(z.union([text, z.literal(false)], { error: 'the name of a task, or false' }))
    .describe('The task to run first: by default build, when there is one; false for none'),
  entrypoint: z.exactOptional(wordsHint('the command')).describe('The program, word by word'),
  cmd: z.exactOptional(wordsHint('the command')).describe('Its arguments, or the program where there is no entrypoint'),
  expose: z.array(port).default([]).describe('Ports the application listens on: 8080, 53/udp'),
  env: variables.default({}).describe('Variables of the application'),
  user: z.exactOptional(user).describe('By default the numeric user of the base, never root'),
  workdir: z.exactOptional(containerPath).describe('The folder the application starts in'),
  writable: z
    .exactOptional(z.array(imageFolder).min(1, 'at least one folder'))
    .describe('Folders that belong to the user, with what the image has in them: uploads, /var/lib/hello'),
  labels: z.record(labelName, anyText).default({}).describe('Labels besides those of OCI and gbuild, which are added'),
  health: z.exactOptional(healthSchema).describe('How an engine checks whether the application is healthy'),
  smoke: z
    .exactOptional(smokeSchema)
    .describe('Starts the image before it gets its name, as it will run: {port: 8080}, {cmd: [...]}, exit, or health'),
});

export const imageSchema = imageMapping.superRefine(({ base, jre, platforms: asked = [] }, context) => {
  if (jre !== undefined && asked.length > 1) {
    const message = 'one platform with image.jre | such a runtime is machine code for the engine that made it';
    context.addIssue({ code: 'custom', path: ['platforms'], message });
  }
  if (jre === undefined || base === 'auto') return;
  const message = 'auto with image.jre | such an image gets a base made for it: leave out one of the two';
  context.addIssue({ code: 'custom', path: ['base'], message });
});
