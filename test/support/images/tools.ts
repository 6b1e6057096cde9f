import { expectStatus } from '../engines/engine-container.ts';
import { askEngine } from '../engines/engine-http.ts';
import { type ExecCall, type ExecResult, execIn } from '../engines/exec-in.ts';
import { ensureToolsImage, toolsImage } from './tools-image.ts';

/**
 * Tools of other projects in a container that shares this machine's network, so that they reach the tests' registries.
 */
export interface Tools extends AsyncDisposable {
  run(command: string[], call?: ExecCall): Promise<ExecResult>;
  /** Runs a script in a shell. Returns its standard output. Throws with its output when it fails. */
  must(script: string, ...args: string[]): Promise<string>;
}

/** Starts the tools; of this machine they see only the given folders, under the same paths, read-only. */
export async function startTools(host: string, sees: string[]): Promise<Tools> {
  const imported = await ensureToolsImage(host);
  const id = await createContainer(host, sees);
  const run = (command: string[], call?: ExecCall) => execIn(host, id, command, call);
  const must = async (script: string, ...args: string[]) => {
    const { exitCode, stdout, output } = await run(['sh', '-euc', script, 'sh', ...args]);
    if (exitCode !== 0) throw new Error(`${script} ${args.join(' ')} failed (${exitCode}):\n${output}`);
    return stdout.trimEnd();
  };
  const dispose = async () => {
    await askEngine(host, 'DELETE', `/containers/${id}?force=1&v=1`);
    if (imported) await askEngine(host, 'DELETE', `/images/${toolsImage}?force=1`);
  };
  try {
    await expectStatus(askEngine(host, 'POST', `/containers/${id}/start`), 204);
    return { run, must, [Symbol.asyncDispose]: dispose };
  } catch (thrown) {
    await dispose();
    throw thrown;
  }
}

async function createContainer(host: string, sees: string[]): Promise<string> {
  const { status, text } = await askEngine(host, 'POST', '/containers/create', {
    json: {
      Image: toolsImage,
      Cmd: ['sleep', 'infinity'],
      Labels: { 'io.gbuild.test': 'tools' },
      HostConfig: { Init: true, NetworkMode: 'host', Binds: sees.map((dir) => `${dir}:${dir}:ro`) },
    },
  });
  if (status !== 201) throw new Error(`no container of ${toolsImage}: ${text}`);
  return (JSON.parse(text) as { Id: string }).Id;
}
