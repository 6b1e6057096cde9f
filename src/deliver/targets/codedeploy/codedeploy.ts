import { z } from 'zod';
import type { TextFile } from '../../files.ts';
import { referByDigest } from '../../refuse.ts';
import { appspecFile } from '../../revision/appspec.ts';
import { formatArray } from '../../revision/bash.ts';
import { commonFile, hookScript, listRunWords, validateBody } from '../../revision/scripts.ts';
import type { Service } from '../../service.ts';
import type { DeliveryInput, DeliveryTarget } from '../../target.ts';

const optionsSchema = z.strictObject({
  /** Port of the machine; by default the service's own. */
  publish: z.int().min(1).max(65_535).optional(),
  /** How often the new container is asked whether it is healthy. */
  attempts: z.int().min(1).max(60).default(30),
  /** Seconds between two questions. */
  interval: z.int().min(1).max(30).default(10),
});

type Options = z.output<typeof optionsSchema>;

/** AWS CodeDeploy: a zip whose scripts pull the image by its digest. */
export const codedeploy: DeliveryTarget<Options> = {
  kind: 'codedeploy',
  summary: 'AWS CodeDeploy: a zip with appspec.yml and scripts that pull the digest',
  takes: 'digest',
  takesOnePlatform: false,
  options: optionsSchema,
  template: { use: 'none', is: 'file' },
  needs: ['docker, curl and the CodeDeploy agent on each machine, which may pull from the registry'],
  render: (input) => [
    { kind: 'zip', path: `${input.service.name}-${input.image.version}.zip`, entries: renderRevision(input) },
  ],
};

/** The image is pulled before anything stops: a failed pull leaves the version before running. */
function renderRevision({ image, service, options }: DeliveryInput<Options>): TextFile[] {
  const { attempts, interval } = options;
  const port = service.port === undefined ? undefined : (options.publish ?? service.port);
  const container = { name: service.name, image: referByDigest(image), port, health: service.health };
  return [
    appspecFile({
      hooks: {
        BeforeInstall: [{ location: 'pull.sh', timeout: 1800 }],
        ApplicationStart: [{ location: 'start.sh', timeout: 300 }],
        ValidateService: [{ location: 'validate.sh' }],
      },
    }),
    commonFile({ ...container, attempts, interval }),
    hookScript('pull.sh', 'docker pull --quiet "$image" >/dev/null\nsay "pulled $image"'),
    hookScript('start.sh', formatStart(service, port)),
    hookScript('validate.sh', validateBody),
  ];
}

function formatStart(service: Service, port: number | undefined): string {
  const { options, variables, volumes } = listRunWords(service);
  const ports = port === undefined ? [] : ['--publish', `${port}:${service.port}`];
  const words = ['--restart', 'unless-stopped', ...ports, ...options, ...variables, ...volumes];
  return `${formatArray('run', words)}
${formatArray('args', service.args ?? [])}

remove_container
docker run --detach --name "$service" "\${run[@]}" "$image" "\${args[@]}" >/dev/null
say "started $image"`;
}
