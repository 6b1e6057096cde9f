import { z } from 'zod';
import { refuseDelivery } from '../../refuse.ts';
import type { DeliveryInput } from '../../target.ts';

const text = z.string().min(1, 'a text that is not empty').optional();
const name = z.string().regex(/^[A-Za-z0-9_-]{1,255}$/, 'letters, digits, _ and -, at most 255');
const role = z
  .string()
  .regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/, 'the ARN of a role: arn:aws:iam::123456789012:role/NAME')
  .optional();

export const ecsOptions = z.strictObject({
  /** Containers of the template that run the release; by default the service's name. */
  container: z.union([name, z.array(name).min(1)], { error: 'the name of a container, or a list of names' }).optional(),
  /** Way in which a release replaces the one before. */
  deployment: z.enum(['rolling', 'blue-green', 'canary'], 'rolling, blue-green or canary').default('rolling'),
  /** Where tasks run; by default what the template says, else EC2. */
  launch: z.enum(['EC2', 'FARGATE'], 'EC2 or FARGATE').optional(),
  /** Name of the definition without a template; by default the service's. */
  family: name.optional(),
  executionRole: role,
  taskRole: role,
  /** Cluster and service of service.json; by default ECS's own default, and the service's name. */
  cluster: text,
  service: text,
  /** Share of the requests that a canary gets first, and for how many minutes. */
  canaryPercent: z.number().min(0.1).max(100).multipleOf(0.1).optional(),
  canaryMinutes: z.int().min(0).max(1440).optional(),
});

export type EcsOptions = z.output<typeof ecsOptions>;
export type EcsInput = DeliveryInput<EcsOptions>;

const withoutTemplate = ['family', 'executionRole', 'taskRole'] as const;
const ofCanaries = ['canaryPercent', 'canaryMinutes'] as const;
const ofServices = ['cluster', 'service'] as const;

/** Asserts that each option that is given says something. @throws GbuildError `delivery-refused` */
export function assertOptionsMatter({ image, options, template, target }: EcsInput): void {
  const { deployment } = options;
  const idle = [
    ...(template === undefined ? [] : withoutTemplate.map((key) => [key, `${template.path} says it`] as const)),
    ...(deployment === 'canary' ? [] : ofCanaries.map((key) => [key, `the deployment is ${deployment}`] as const)),
    ...(deployment === 'blue-green'
      ? ofServices.map((key) => [key, 'CodeDeploy has its own names for both'] as const)
      : []),
  ].find(([key]) => options[key] !== undefined);
  if (idle === undefined) return;
  const [key, why] = idle;
  throw refuseDelivery(image, target, `the option ${key} says nothing: ${why}`, [
    `remove deliver.targets.${target}.options.${key}`,
  ]);
}

/** Names of the containers that run the release. */
export function listContainers({ options: { container }, service }: Pick<EcsInput, 'options' | 'service'>): string[] {
  return container === undefined ? [service.name] : [...new Set([container].flat())];
}
