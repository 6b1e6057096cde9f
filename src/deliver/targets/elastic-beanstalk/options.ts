import { z } from 'zod';
import type { DeliveryInput } from '../../target.ts';

export const optionsSchema = z.strictObject({
  /** What says the image: a Dockerfile that starts from it, or a Dockerrun.aws.json that names it. */
  form: z.enum(['dockerfile', 'dockerrun'], 'dockerfile or dockerrun').default('dockerfile'),
});

export type Options = z.output<typeof optionsSchema>;
export type Input = DeliveryInput<Options>;
