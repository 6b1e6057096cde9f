import { z } from 'zod';
import { type DeliveryFile, textFile } from '../../files.ts';
import { refuseDelivery } from '../../refuse.ts';
import type { DeliveryInput, DeliveryTarget } from '../../target.ts';
import { formatCommand, formatEnvironment, formatLimits, formatMounts } from './config-lines.ts';

const optionsSchema = z.strictObject({
  /** Most processes and threads at the same time. */
  pids: z.int().min(1).max(4_194_304).default(1024),
  /** Version of the machines' control groups. */
  cgroup: z.union([z.literal(1), z.literal(2)], '1 or 2, the version of the control groups').default(2),
});

type Options = z.output<typeof optionsSchema>;

/** LXC: an OCI layout for `lxc-create -t oci`, and a configuration to include. */
export const lxc: DeliveryTarget<Options> = {
  kind: 'lxc',
  summary: 'LXC: an OCI layout for lxc-create, and a configuration with limits',
  takes: 'oci-layout',
  takesOnePlatform: true,
  options: optionsSchema,
  template: { use: 'none', is: 'file' },
  needs: [],
  render: (input) => [layoutOf(input), configOf(input)],
  judgeFiles: ({ image, target }, files) => {
    // The template writes etc/hostname and etc/hosts, and fails where it cannot.
    if (files.hasFolder('etc')) return;
    throw refuseDelivery(image, target, 'its files have no /etc, in which LXC writes the name of the machine', [
      'leave image.base out of gbuild.yml, or name a base that has an /etc; then make a new release',
    ]);
  },
  listWarnings: ({ service, target }) => {
    const unlimited = (['memory', 'cpu'] as const).filter((key) => service[key] === undefined);
    if (unlimited.length === 0) return [];
    return [`${target} limits no ${unlimited.join(' and no ')}: gbuild.yml says none under deliver.service`];
  },
};

function layoutOf({ image }: DeliveryInput<Options>): DeliveryFile {
  return { kind: 'oci-layout', path: 'image', refName: image.version };
}

function configOf(input: DeliveryInput<Options>): DeliveryFile {
  const { image, service, options } = input;
  const { Entrypoint: entrypoint, Cmd: command } = image.config;
  const words = [...(entrypoint ?? []), ...(service.args ?? command ?? [])];
  assertTellable(input, words);
  return textFile(
    'lxc.conf',
    [
      `# ${image.name}:${image.version}, image ${image.imageId}`,
      ...formatLimits(service, options.pids, options.cgroup),
      ...formatEnvironment(service.env),
      ...formatMounts(service.volumes),
      // Of the image's own command LXC's template makes the same line.
      ...(service.args === undefined ? [] : [formatCommand(words)]),
    ].join('\n'),
  );
}

/** Asserts that LXC runs exactly these words, with exactly these variables and mounts. */
function assertTellable({ image, service, target }: DeliveryInput<Options>, words: readonly string[]): void {
  const refuse = (why: string, suggestion: string) => {
    throw refuseDelivery(image, target, why, [suggestion]);
  };
  if (words.length === 0)
    refuse('it has no command, and LXC would start a shell', 'write image.entrypoint in gbuild.yml');
  const broken = words.find((word) => /['"\\\p{Cc}]/u.test(word));
  if (broken !== undefined)
    refuse(
      `LXC cannot start ${JSON.stringify(broken)}: it splits a command at quotes, backslashes and line ends`,
      'move the command into a script of the image, and name that in image.entrypoint',
    );
  const ofImage = (image.config.Env ?? []).find((variable) => /[\r\n\0]|\s$|^[^=]*$/.test(variable));
  if (ofImage !== undefined)
    refuse(
      `LXC's template loses a line end or a blank at the end of ${JSON.stringify(ofImage)}`,
      'write another value under image.env in gbuild.yml',
    );
  const [key] = Object.entries(service.env).find(([, value]) => /[\r\n\0]/.test(value)) ?? [];
  if (key !== undefined)
    refuse(
      `LXC's configuration has no word for the line end in ${key}`,
      `write another value under deliver.service.env.${key}`,
    );
  const named = service.volumes.find(({ from }) => !from.startsWith('/'));
  if (named !== undefined)
    refuse(
      `LXC has no volumes by name, and ${named.to} wants ${named.from}`,
      `name a folder of the machine in deliver.service.volumes, such as /srv/${named.from}`,
    );
}
