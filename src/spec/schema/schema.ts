import { z } from 'zod';
import { deliverSchema } from './deliver-schema.ts';
import { imageSchema } from './image-schema.ts';
import { mapping } from './mapping.ts';
import {
  catalogPlace,
  containerPath,
  memory,
  registryHost,
  repositoryName,
  text,
  variableGlob,
  variables,
  workspaceGlob,
} from './scalars.ts';
import { secretsSchema } from './secret-schema.ts';
import { servicesSchema } from './service-schema.ts';
import { tasksSchema } from './task-schema.ts';
import { toolchainSchema } from './toolchain-schema.ts';

const cachePath = containerPath.superRefine((path, context) => {
  if (path === '/' || path === '/workspace') context.addIssue('a folder of its own, such as /cache/npm');
});

const cacheSchema = mapping({
  name: text
    .regex(/^[a-z0-9][a-z0-9._-]*$/, 'the name of a cache: lower-case letters, digits and . _ -')
    .describe('Caches of one name are shared by the tasks and runs of the repository'),
  path: cachePath.describe('Where it is mounted in the container'),
  env: z.exactOptional(variables).describe('Variables that tell the tools about it'),
});

const resourcesSchema = mapping({
  cpus: z
    .exactOptional(z.number().gt(0, 'a number of processors above zero').max(4096, 'at most 4096 processors'))
    .describe('Processors, also parts: 1.5; no limit when absent'),
  memory: z.exactOptional(memory).describe('512m, 2g; no limit when absent'),
  pids: z
    .int()
    .min(1, 'a whole number from 1 on')
    .max(4_194_304, 'at most 4194304')
    .default(4096)
    .describe('Processes and threads'),
});

/** Schema of `gbuild.yml`, major 1: its input is what people write, its output is checked and completed. */
export const specSchema = mapping({
  gbuild: z.literal(1, '1 | the first line of the file is "gbuild: 1"').describe('The major of this format'),
  name: repositoryName.describe('The repository of the image, without registry and tag: hello, acme/hello'),
  registry: z.exactOptional(registryHost).describe('Where the image is pushed to: HOST or HOST:PORT'),
  toolchain: toolchainSchema.describe(
    'Toolchain to build in: node@^22, a mapping with name, version and options, an image reference, or a folder with a Dockerfile',
  ),
  catalogs: z
    .array(catalogPlace)
    .default([])
    .describe(
      "Toolchains of your own, asked before gbuild's: folders of the repository, or git addresses (ADDRESS#REF)",
    ),
  env: variables.default({}).describe('Variables of every task, literally'),
  passEnv: z
    .array(variableGlob)
    .default([])
    .describe("The caller's variables that tasks may see: names or globs such as AWS_*"),
  secrets: secretsSchema
    .default({})
    .describe('Passwords, tokens and keys by name, and where each comes from; a task says which of them it needs'),
  caches: z
    .union([z.literal('auto'), z.array(cacheSchema)], { error: 'auto, or a list of caches' })
    .default('auto')
    .describe('Folders kept between runs; auto is what the toolchain knows to keep'),
  resources: resourcesSchema.prefault({}).describe('Limits of each task'),
  network: z
    .enum(['bridge', 'none', 'host'])
    .default('bridge')
    .describe('bridge reaches the network, none does not, host shares the one of the engine'),
  sync: mapping({
    include: z
      .array(workspaceGlob)
      .default([])
      .describe(
        'Globs of what git ignores and tasks need all the same: it goes there, and what tasks change comes back',
      ),
  })
    .prefault({})
    .describe('Files to send to an engine that does not see the workspace, besides all that git does not ignore'),
  services: servicesSchema
    .default({})
    .describe('Services that run while tasks do, such as a database, by the name that tasks reach them by'),
  tasks: tasksSchema.default({}).describe('Tasks: gbuild run NAME runs one; build and test have their own commands'),
  image: imageSchema.prefault({}).describe('The image that gbuild image makes'),
  deliver: deliverSchema.prefault({}).describe('How releases are handed over to the systems that deploy them'),
});

/** `gbuild.yml` as people write it, parsed as YAML. */
export type SpecInput = z.input<typeof specSchema>;
export type SpecOutput = z.output<typeof specSchema>;
