import { z } from 'zod';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { mapping } from '../schema/mapping.ts';
import { registryHost, text } from '../schema/scalars.ts';

const digest = z.custom<Digest>(
  (value) => typeof value === 'string' && isDigest(value),
  'sha256: and 64 lower-case hex digits',
);
const optionValue = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())], {
  error: 'text, a number, true or false, or a list of texts',
});
const platformName = z.string().regex(/^[a-z0-9]+\/[a-z0-9]+(?:\/[a-z0-9]+)?$/, 'a platform such as linux/amd64');

const versions = z.exactOptional(z.record(z.string(), text));

const platformSchema = mapping({
  build: text,
  runtime: z.exactOptional(text),
  base: z.exactOptional(text),
  source: z.exactOptional(text),
  tools: versions,
  packages: z.exactOptional(digest),
  runtimePackages: versions,
});

/** Schema of gbuild.lock, version 1. */
export const lockSchema = mapping({
  lock: z.literal(1, '1'),
  toolchain: mapping({
    request: text,
    name: text,
    version: text,
    options: z.exactOptional(z.record(z.string(), optionValue)),
    recipe: digest,
    registry: z.exactOptional(registryHost),
    platforms: z.record(platformName, platformSchema),
  }),
});
