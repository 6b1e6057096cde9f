import type { BuildEvent } from '../../engine/engine.ts';
import { BuildStepError } from '../../engine/image/build.ts';
import { GbuildError } from '../../errors.ts';
import { describeBrokenLog } from '../../reporter/log-file.ts';
import type { Step } from '../../reporter/progress.ts';
import type { RecipeFile } from '../catalog/catalog.ts';
import { readHostFiles } from '../host/host-files.ts';
import type { HostFileRule } from '../host/npm-variables.ts';
import { readHostTrust } from '../host/trust.ts';
import type { ToolchainContext } from '../image/toolchain-context.ts';
import { readAptSetup } from './apt-setup.ts';
import { buildNetwork, type ContextFile, contextChunks, helperContext, recipeContext } from './build-context.ts';
import { BuildLog } from './build-log.ts';

export interface TargetBuild {
  title: string;
  /** Files of the recipe: the Dockerfile and the files it copies. */
  files: RecipeFile[];
  /** Helpers of images/base, which go into the context. */
  helpers: RecipeFile[];
  /** Debian suite whose mirrors the build may use. */
  suite: string;
  /** Whether the Dockerfile belongs to the caller's repository or catalog. */
  isCallers: boolean;
  /** Additional files of the context. */
  parts?: ContextFile[];
  /** Checksums that the catalog pins, and the caller's files that the build may use. */
  pins?: Record<string, string>;
  hostFiles?: HostFileRule[];
  target?: string | undefined;
  tag: string;
  args: Record<string, string>;
  labels: Record<string, string>;
}

/**
 * Builds one stage of a Dockerfile on the engine and shows its steps. Returns the image's id. The error of a failed
 * step has its last lines and the file of the full output. It is `dockerfile-failed` for the caller's Dockerfile,
 * `toolchain-failed` for gbuild's.
 */
export async function buildTarget(context: ToolchainContext, build: TargetBuild): Promise<string> {
  const trust = readHostTrust(context.host);
  const apt = await readAptSetup(build.suite, context);
  const network = buildNetwork(trust, apt);
  const files = readHostFiles(context.host, build.hostFiles ?? []).map(({ from, bytes }) => ({ path: from, bytes }));
  const helpers = helperContext(build.helpers, { trust, apt, files, pins: build.pins ?? {} });
  const buildContext = [...recipeContext(build.files), ...(build.parts ?? []), ...helpers];
  const log = new BuildLog(context, build.title);
  try {
    const id = await context.progress.step(`building ${build.title}`, (step) =>
      context.engine.buildImage({
        title: build.title,
        context: contextChunks(buildContext),
        tags: [build.tag],
        // The proxy names are predefined build arguments: they reach RUN steps, but no layer and no history.
        args: { ...trust.proxies, ...build.args },
        labels: build.labels,
        noCache: context.renewed !== undefined,
        stop: context.stop,
        onProgress: (event) => {
          log.add(event);
          report(step, event);
        },
        ...(build.target === undefined ? {} : { target: build.target }),
        ...(network === undefined ? {} : { network }),
      }),
    );
    log.discard();
    return id;
  } catch (thrown) {
    log.close();
    throw explainFailure(thrown, build, log);
  }
}

function report(step: Step, event: BuildEvent): void {
  if (event.kind === 'log') step.log(event.line);
  else if (event.state === 'started') step.update(event.name);
}

/** Explains whose Dockerfile failed; failures of the engine stay as they are. */
function explainFailure(thrown: unknown, { isCallers, title }: TargetBuild, log: BuildLog): unknown {
  if (!(thrown instanceof BuildStepError)) return thrown;
  const { failure } = log;
  const message = failure ? `${thrown.message}\n${describeBrokenLog(log.file, failure)}` : thrown.message;
  return new GbuildError(isCallers ? 'dockerfile-failed' : 'toolchain-failed', message, {
    cause: thrown,
    suggestions: [
      `less '${log.file}'   # all that it printed`,
      isCallers ? `correct the Dockerfile of ${title}, then run it again` : 'gbuild doctor',
    ],
    facts: { ...thrown.facts, logFile: log.file },
  });
}
