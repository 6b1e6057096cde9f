import { z } from 'zod';
import type { DeliveryInput } from '../../target.ts';

export const beanstalkOptions = z.strictObject({
  /** File that says the image: a Dockerfile that starts from it, or a Dockerrun.aws.json that names it. */
  form: z.enum(['dockerfile', 'dockerrun'], 'dockerfile or dockerrun').default('dockerfile'),
});

export type BeanstalkOptions = z.output<typeof beanstalkOptions>;
export type BeanstalkInput = DeliveryInput<BeanstalkOptions>;
