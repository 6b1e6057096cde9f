import { type TextFile, textFile } from '../../files.ts';
import { referByDigest, refuseDelivery } from '../../refuse.ts';
import type { BeanstalkInput } from './options.ts';

/** Writes a Dockerfile that starts from the digest. @throws GbuildError `delivery-refused` */
export function dockerfile(input: BeanstalkInput, port: number): TextFile {
  const { image, service } = input;
  const isLimited = service.cpu !== undefined || service.memory !== undefined;
  const lines = [
    ...(isLimited ? ['# No cpu and no memory: the only container of an instance has all of it.'] : []),
    `FROM ${referByDigest(image)}`,
    `EXPOSE ${port}`,
    ...Object.entries(service.env).map(([name, value]) => `ENV ${name}=${quoteValue(input, name, value)}`),
    // Only the exec form keeps the words apart, and leaves the entrypoint of the image what it is.
    ...(service.args === undefined ? [] : [`CMD ${JSON.stringify(service.args)}`]),
  ];
  return textFile('Dockerfile', lines.join('\n'));
}

/** Quotes a value of ENV: the builder replaces variables, and takes a backslash for an escape. A line is one line. */
function quoteValue({ image, target }: BeanstalkInput, name: string, value: string): string {
  if (/[\r\n\0]/.test(value))
    throw refuseDelivery(image, target, `the value of ${name} has a line break, which a Dockerfile cannot say`, [
      `remove ${name} from deliver.service.env, and set it as a property of the environment: eb setenv`,
    ]);
  return `"${value.replaceAll(/[\\"$]/g, '\\$&')}"`;
}
