import { z } from 'zod';

const label = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'lower-case letters, digits and -, as in DNS');
const subdomain = z
  .string()
  .max(253)
  .regex(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, 'a name of DNS');

export const kubernetesOptions = z.strictObject({
  namespace: label.optional(),
  /** Number of pods; by default 1. */
  replicas: z.int().min(0).max(10_000).optional(),
  /** Port of the Service; by default the service's own. */
  publish: z.int().min(1).max(65_535).optional(),
  /** Whether the root file system is read-only; /tmp and the image's volumes then are empty folders. */
  readOnly: z.boolean().optional(),
  /** Name of the Secret with credentials of the registry. */
  pullSecret: subdomain.optional(),
  /** Image as the manifests of the template spell it; by default the image's name, with or without registry. */
  image: z
    .string()
    .regex(/^[a-z0-9][\w./:-]*$/i, 'the name of an image')
    .refine((text) => !/:[^/]*$/.test(text), 'the name of an image, without a tag')
    .optional(),
  /** Folder below the template whose kustomization is built; by default the template itself. */
  path: z.string().min(1).optional(),
});

export type KubernetesOptions = z.output<typeof kubernetesOptions>;
