import { isMap } from 'yaml';
import { z } from 'zod';
import { type DeliveryFile, jsonFile } from '../../files.ts';
import { referByVersion, refuseDelivery } from '../../refuse.ts';
import type { DeliveryInput, DeliveryTarget } from '../../target.ts';
import { findImageByHand, parseOnlyFile } from '../../template.ts';
import { nameEnvironment } from './environment-name.ts';

const optionsSchema = z.strictObject({
  url: z.string().min(1).optional(),
  hostedZoneId: z.string().min(1).optional(),
  awsAccountId: z
    .string()
    .regex(/^\d{12}$/, 'twelve digits, in quotes')
    .optional(),
  serviceRole: z.string().min(1).optional(),
  deploymentBucket: z.string().min(1).optional(),
  /** Elastic Beanstalk's platform. */
  stack: z.string().min(1).optional(),
  /** Port of the machines; by default the service's own. */
  publish: z.int().min(1).max(65_535).optional(),
});

type Options = z.output<typeof optionsSchema>;

/** ION-Roller: the configuration of a service; the version is a word of `ionroller release`. */
export const ionroller: DeliveryTarget<Options> = {
  kind: 'ionroller',
  summary: "ION-Roller: a service's configuration, then `ionroller release NAME VERSION`",
  takes: 'tag',
  takesOnePlatform: false,
  options: optionsSchema,
  template: { use: 'optional', is: 'file' },
  needs: ['a template (the JSON of ionroller set_config, without image), or its values as options'],
  render: (input) => {
    assertTaken(input);
    return [input.template === undefined ? renderWhole(input) : renderTemplate(input)];
  },
  listWarnings: ({ image, service, template, target }) => {
    const { name, isCut } = nameEnvironment(service.name, image.version);
    const left = (['cpu', 'memory'] as const).filter((key) => service[key] !== undefined);
    return [
      ...(isCut
        ? [
            `${target} names the environment ${name}-..., without the end of ${image.version}: ` +
              'versions that differ only there look alike in Elastic Beanstalk',
          ]
        : []),
      ...(left.length > 0 && template === undefined
        ? [`${target} has no word for ${left.join(' and ')} of deliver.service: the size of the machines is the limit`]
        : []),
    ];
  },
};

const fileName = 'ionroller.json';

/** Pattern of ION-Roller's own for an image without tag. */
const imagePattern = /^(?:[a-zA-Z0-9._\-/:]+\/)?[a-zA-Z0-9._-]+\/[a-zA-Z0-9._-]+$/;

function imageOf({ image }: DeliveryInput<Options>): string {
  return referByVersion(image).slice(0, -`:${image.version}`.length);
}

function assertTaken(input: DeliveryInput<Options>): void {
  const { image, target } = input;
  if ((image.config.Entrypoint ?? []).length === 0)
    throw refuseDelivery(image, target, 'run_args take the place of its whole command, because it has no entrypoint', [
      'write image.entrypoint in gbuild.yml, then make a new release',
    ]);
  if (imagePattern.test(imageOf(input)) && image.name.includes('/')) return;
  throw refuseDelivery(
    image,
    target,
    `ION-Roller takes images such as acme/${image.name}, and ${image.name} has no slash`,
    [`write name: acme/${image.name} in gbuild.yml, then make a new release`],
  );
}

function renderWhole(input: DeliveryInput<Options>): DeliveryFile {
  const { image, service, options, target } = input;
  const { url, hostedZoneId, awsAccountId, serviceRole, deploymentBucket, stack, publish } = options;
  const missing = (['url', 'hostedZoneId', 'awsAccountId', 'serviceRole', 'deploymentBucket'] as const).filter(
    (key) => options[key] === undefined,
  );
  const at = `deliver.targets.${target}`;
  if (missing.length > 0)
    throw refuseDelivery(image, target, `nothing says ${missing.join(', ')}`, [
      `write them under ${at}.options`,
      `or name the JSON of ionroller set_config: ${at}.template`,
    ]);
  if (service.port === undefined)
    throw refuseDelivery(image, target, 'nothing says its port', ['write deliver.service.port in gbuild.yml']);
  assertTellable(input);
  const { args = [], volumes } = service;
  return jsonFile(fileName, {
    url,
    hosted_zone_id: hostedZoneId,
    aws_account_id: awsAccountId,
    service_role: serviceRole,
    image: imageOf(input),
    port_mappings: [{ internal: service.port, external: publish ?? service.port }],
    ...(volumes.length > 0 && { volume_mappings: volumes.map(({ from, to }) => ({ internal: to, external: from })) }),
    run_args: args,
    eb: {
      deployment_bucket: deploymentBucket,
      ...(stack !== undefined && { stack }),
      settings: listSettings(input),
    },
  });
}

/** Letters that ION-Roller does not escape: it writes each argument between quotes into the CMD of a Dockerfile. */
const breaksDockerfile = /["\\\p{Cc}]/u;

/** Asserts that arguments and volumes reach the container as they are. */
function assertTellable({ image, service, target }: DeliveryInput<Options>): void {
  const refuse = (why: string, suggestion: string) => refuseDelivery(image, target, why, [suggestion]);
  const broken = service.args?.find((word) => breaksDockerfile.test(word));
  if (broken !== undefined)
    throw refuse(
      `ION-Roller cannot pass ${JSON.stringify(broken)}: it escapes no quotes, backslashes and line ends`,
      'read it from a variable (deliver.service.env), or write it into a script of the image',
    );
  const named = service.volumes.find(({ from }) => !from.startsWith('/'));
  if (named !== undefined)
    throw refuse(
      `Elastic Beanstalk has no volumes by name, and ${named.to} wants ${named.from}`,
      'name a folder of the machine in deliver.service.volumes',
    );
  const readOnly = service.volumes.find((volume) => volume.readOnly);
  if (readOnly !== undefined)
    throw refuse(`Elastic Beanstalk mounts ${readOnly.to} writable`, 'leave readOnly out of deliver.service.volumes');
}

interface Setting {
  Namespace: string;
  OptionName: string;
  Value: string;
}

function listSettings({ service: { env, health } }: DeliveryInput<Options>): Setting[] {
  const application = 'aws:elasticbeanstalk:application';
  return [
    ...(health === undefined
      ? []
      : [{ Namespace: application, OptionName: 'Application Healthcheck URL', Value: health }]),
    ...Object.entries(env).map(([key, value]) => ({
      Namespace: `${application}:environment`,
      OptionName: key,
      Value: value,
    })),
  ];
}

/** Gives the repository's own configuration the image. */
function renderTemplate(input: DeliveryInput<Options>): DeliveryFile {
  const { image, options, target, template } = input;
  const [option] = Object.keys(options);
  if (option !== undefined)
    throw refuseDelivery(image, target, `${option} is an option, and ${template!.path} says it all`, [
      `leave deliver.targets.${target}.options out, or the template`,
    ]);
  const parsed = parseOnlyFile(template!);
  if (!isMap(parsed.document.contents))
    parsed.refuseAny([parsed.mistake([], { expected: 'an object, as ionroller set_config takes it', found: 'none' })]);
  const byHand = findImageByHand(parsed, ['image'], image);
  const said = parsed.value as Record<string, unknown>;
  const missing = required
    .filter((key) => said[key] === undefined || said[key] === null)
    .map((key) => parsed.mistake([], { expected: `the key ${key}`, found: 'none' }));
  const runArgs = Array.isArray(said.run_args) ? said.run_args : [];
  const broken = runArgs.flatMap((word, index) => (breaksDockerfile.test(String(word)) ? [index] : []));
  const odd = broken.map((index) =>
    parsed.mistake(['run_args', index], {
      expected: 'no quotes, backslashes and line ends, which ION-Roller does not escape',
      found: JSON.stringify(runArgs[index]),
    }),
  );
  parsed.refuseAny([...(byHand === undefined ? [] : [byHand]), ...missing, ...odd]);
  return jsonFile(fileName, { ...said, image: imageOf(input) });
}

const required = ['url', 'hosted_zone_id', 'aws_account_id', 'service_role', 'port_mappings', 'run_args', 'eb'];
