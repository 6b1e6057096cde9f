import type { BuildEvent } from '../engine/engine.ts';
import type { Step } from '../reporter/progress.ts';
import { readAptSetup } from './apt-setup.ts';
import { buildNetwork, type ContextFile, contextChunks, helperContext, recipeContext } from './build-context.ts';
import type { RecipeFile } from './catalog.ts';
import { type HostFileRule, readHostFiles } from './host-files.ts';
import type { Rim } from './rim.ts';
import { readHostTrust } from './trust.ts';

export interface TargetBuild {
  title: string;
  /** The recipe's files: the Dockerfile and what it copies. */
  files: RecipeFile[];
  /** Of images/base: its helpers go into the context. */
  helpers: RecipeFile[];
  /** Debian suite whose mirrors the build may use. */
  suite: string;
  /** More of the context. */
  parts?: ContextFile[];
  /** What the catalog vouches for, and the caller's files that the build may use. */
  pins?: Record<string, string>;
  hostFiles?: HostFileRule[];
  target?: string | undefined;
  tag: string;
  args: Record<string, string>;
  labels: Record<string, string>;
}

/** Builds one stage of a Dockerfile on the engine, its steps shown as they happen; the image's id. */
export async function buildTarget(rim: Rim, build: TargetBuild): Promise<string> {
  const trust = readHostTrust(rim.host);
  const apt = await readAptSetup(build.suite, rim);
  const network = buildNetwork(trust, apt);
  const files = readHostFiles(rim.host, build.hostFiles ?? []).map(({ from, bytes }) => ({ path: from, bytes }));
  const helpers = helperContext(build.helpers, { trust, apt, files, pins: build.pins ?? {} });
  const context = [...recipeContext(build.files), ...(build.parts ?? []), ...helpers];
  return rim.progress.step(`building ${build.title}`, (step) =>
    rim.engine.buildImage({
      context: contextChunks(context),
      tags: [build.tag],
      // The proxy names are predefined build arguments: they reach RUN steps and no layer or history.
      args: { ...trust.proxies, ...build.args },
      labels: build.labels,
      stop: rim.stop,
      onProgress: (event) => report(step, event),
      ...(build.target === undefined ? {} : { target: build.target }),
      ...(network === undefined ? {} : { network }),
    }),
  );
}

function report(step: Step, event: BuildEvent): void {
  if (event.kind === 'log') step.log(event.line);
  else if (event.state === 'started') step.update(event.name);
}
