import type { ContainerSpec, Engine } from '../../src/engine/engine.ts';
import { collectOutput, neverStop } from './run-io.ts';

/** What a shell script writes to stdout in a container of an image, as the image's own user. */
export async function runScript(engine: Engine, image: string, script: string): Promise<string> {
  const spec: ContainerSpec = {
    image,
    entrypoint: ['/bin/sh', '-c'],
    command: [script],
    user: '',
    env: {},
    workdir: '/',
    mounts: [],
    files: [],
    tty: false,
    stdin: false,
    network: 'none',
    limits: {},
    capAdd: [],
    labels: {},
  };
  const output = collectOutput();
  await engine.runContainer(spec, { onOutput: output.take, stop: neverStop() });
  return output.read().stdout;
}
