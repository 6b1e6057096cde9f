import { bareContainer, type Engine } from '../../../src/engine/engine.ts';
import { collectOutput, neverStop } from './run-io.ts';

/** Returns the stdout of a shell script in a container of an image, as the image's own user. */
export async function runScript(engine: Engine, image: string, script: string): Promise<string> {
  const output = collectOutput();
  const spec = { ...bareContainer(image, [script]), entrypoint: ['/bin/sh', '-c'], user: '' };
  await engine.runContainer(spec, { onOutput: output.take, stop: neverStop() });
  return output.read().stdout;
}
