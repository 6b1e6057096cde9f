import { lstatSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Entry } from '../../oci/tar/entry.ts';
import type { ImagePlan, PlannedLayer } from '../../plan/image-plan.ts';
import { matchGlobs } from '../../plan/match-globs.ts';
import type { StartFault } from '../../start/start-fault.ts';
import { splitCommandLine } from '../../toolchain/detect/command-line.ts';
import { callsOneOf } from '../../toolchain/detect/start.ts';
import { type CheckoutParts, readCheckoutParts } from '../../workspace/checkout-parts.ts';
import { mayHoldCredentials } from '../../workspace/credentials.ts';
import { readDockerignore } from '../../workspace/dockerignore.ts';
import { findCommandPackage, findModulePurpose, findProductionScript } from '../../workspace/node/node-command.ts';
import { walkFiles } from '../../workspace/walk.ts';
import type { WorkspaceSession } from '../session/context.ts';
import type { Explanation } from './assert-starts.ts';
import { nothing } from './base/read-base.ts';

export interface ExplainInput {
  session: WorkspaceSession;
  env: NodeJS.ProcessEnv;
  plan: Pick<ImagePlan, 'layers' | 'buildTask' | 'config'>;
  entries: ReadonlyMap<string, Entry>;
}

const mostNamed = 3;

/**
 * Explains a missing file of an image's start: where it lies in the workspace, why the image does not hold it, and how
 * to fix that.
 */
export async function explainMissing(fault: StartFault, input: ExplainInput): Promise<Explanation> {
  const { session, plan } = input;
  if (fault.mend !== undefined) return explainMend(fault, input);
  if (fault.kind === 'program') return explainProgram(fault.name, session);
  if (fault.kind === 'module') return explainModule(fault.name, session);
  if (fault.kind === 'settings' && mayHoldCredentials(fault.name)) return explainSettings(fault.name, input);
  if (fault.kind === 'other') return { because: [], remedies: [correctStart(session)] };
  if (fault.kind === 'class') return { because: [], remedies: [correctStart(session)] };
  const places = fault.kind === 'library' ? [] : listPlaces(fault.name, plan.layers);
  if (places.length === 0) return { because: [], remedies: [namePackage(fault.name, session)] };
  const path = places.find((place) => isThere(session, place));
  return path === undefined ? explainAbsent(fault.name, input) : explainLeftOut(path, input);
}

/** Lists the workspace's paths that the layers would put at this place of the image. */
function listPlaces(place: string, layers: readonly PlannedLayer[]): string[] {
  const places = layers.flatMap(({ from, to }) => {
    const below = posix.relative(to, place);
    if (below.startsWith('..')) return [];
    return ['', ...from.filter((each) => each.endsWith('/'))].map((folder) => posix.join(folder, below));
  });
  return [...new Set(places)].filter((path) => path !== '');
}

function isThere({ rootDir }: WorkspaceSession, path: string): boolean {
  return lstatSync(join(rootDir, path), { throwIfNoEntry: false }) !== undefined;
}

/** The first rule that excludes the file is reported. */
async function explainLeftOut(path: string, { session, plan, env }: ExplainInput): Promise<Explanation> {
  const { rootDir, spec } = session;
  const there = `${path} is in the workspace, but `;
  if (mayHoldCredentials(path))
    return say(
      `${there}a file of this name may hold credentials`,
      `name it under image.layers in gbuild.yml: from: [${path}]`,
    );
  for (const { name, exclude } of plan.layers) {
    const glob = exclude.find((each) => matchGlobs([each])(path));
    if (glob !== undefined && spec.image.layers !== 'auto')
      return say(
        `${there}the layer ${name} excludes ${glob}`,
        `take ${glob} out of "exclude" of the layer ${name} in gbuild.yml`,
      );
  }
  if (spec.image.layers !== 'auto')
    return say(`${there}no layer of gbuild.yml takes it`, `name it under image.layers in gbuild.yml: from: [${path}]`);
  return explainRule(path, there, plan.layers, session, await readCheckoutParts(rootDir, env));
}

function explainRule(
  path: string,
  there: string,
  layers: readonly PlannedLayer[],
  session: WorkspaceSession,
  parts: CheckoutParts,
): Explanation {
  if (parts.isModule(path)) {
    const [, name = path] =
      /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path.split('/node_modules/').at(-1) ?? path) ?? [];
    return say(
      `${there}${name} is a development dependency`,
      `move ${name} from devDependencies to dependencies in package.json`,
    );
  }
  const layer = layers.find(({ exclude }) => exclude.some((each) => matchGlobs([each])(path)));
  if (layer !== undefined) {
    const glob = layer.exclude.find((each) => matchGlobs([each])(path));
    return say(`${there}the toolchain's layer ${layer.name} leaves out ${glob}`, nameLayer(path));
  }
  if (readDockerignore(session.rootDir)(path))
    return say(`${there}.dockerignore names it`, `write "!${path}" at the end of .dockerignore`);
  if (parts.isIgnored(path)) {
    const said = say(`${there}git ignores it and no task made it`, 'have a task make it, or take it out of .gitignore');
    return { ...said, isToCome: true };
  }
  return say(`${there}no layer takes it`, nameLayer(path));
}

function nameLayer(path: string): string {
  return `write the layers yourself under image.layers in gbuild.yml, with from: [${path}]`;
}

/** Explains a file that neither the image nor the workspace has: files of the same name are suggested. */
function explainAbsent(place: string, { session, plan, entries }: ExplainInput): Explanation {
  const name = posix.basename(place);
  const walked = walkFiles(session.rootDir, { from: ['.'], exclude: ['**/.git/**', '**/node_modules/**'] });
  const here = walked.filter((entry) => entry.type !== 'directory' && posix.basename(entry.path) === name);
  const inImage = [...entries.keys()].filter((path) => posix.basename(path) === name).map((path) => `/${path}`);
  const because = [
    ...(inImage.length > 0 ? [`the image has ${shorten(inImage)}`] : []),
    ...(here.length > 0
      ? [`the workspace has ${shorten(here.map(({ path }) => path))}`]
      : ['the workspace has no such file']),
  ];
  const made = plan.buildTask === undefined ? [] : [`have the task ${plan.buildTask} make it`];
  const remedies = [...(here.length === 0 ? made : []), correctStart(session)];
  return { because, remedies, isToCome: true };
}

function shorten(paths: string[]): string {
  const more = paths.length - mostNamed;
  return `${paths.slice(0, mostNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function explainProgram(name: string, session: WorkspaceSession): Explanation {
  const { toolchain, rootDir } = session;
  if (toolchain.buildOnly.includes(name))
    return say(
      `only the image to build in has ${name}`,
      `name the program that ${name} starts: image.entrypoint in gbuild.yml`,
    );
  const owner = findCommandPackage(rootDir, name);
  if (owner?.isDevelopment === true)
    return say(
      `${name} is a command of ${owner.name}, a development dependency`,
      ...suggestScript(session),
      `move ${owner.name} from devDependencies to dependencies in package.json`,
      correctStart(session),
    );
  return { because: [], remedies: [correctStart(session), namePackage(name, session)] };
}

function explainModule(name: string, session: WorkspaceSession): Explanation {
  if (findModulePurpose(session.rootDir, name) === 'development')
    return say(
      `${name} is a development dependency`,
      ...suggestScript(session),
      `move ${name} from devDependencies to dependencies in package.json`,
      correctStart(session),
    );
  return { because: [], remedies: [`name ${name} in dependencies of package.json`, correctStart(session)] };
}

/**
 * Explains a missing file of variables. An image gets its variables where it runs, so the command works without a file
 * that images leave out.
 */
function explainSettings(place: string, { session, plan }: ExplainInput): Explanation {
  const path = listPlaces(place, plan.layers).find((each) => isThere(session, each));
  const without = dropOption('--env-file', plan.config.Entrypoint ?? []);
  const first = session.specFile === undefined ? 'gbuild init, then write' : 'write';
  return say(
    path === undefined
      ? 'the workspace has no such file'
      : `${path} is in the workspace, but a file of this name may hold credentials`,
    `${first} in gbuild.yml: image: {entrypoint: ${JSON.stringify(without)}}   # its variables come from where it runs`,
  );
}

/** Removes an option and its value, also from a shell's command line. */
function dropOption(option: string, words: readonly string[]): string[] {
  const left = words.filter(
    (word, at) => word !== option && words[at - 1] !== option && !word.startsWith(`${option}=`),
  );
  return left.map((word) => word.replaceAll(new RegExp(` ${option}[= ]\\S+`, 'g'), ''));
}

/** Suggests the production script, where package.json has one. */
function suggestScript({ rootDir, toolchain, specFile }: WorkspaceSession): string[] {
  const found = findProductionScript(rootDir);
  const words = found === undefined ? [] : splitCommandLine(found.line);
  if (found === undefined || callsOneOf(words, toolchain.buildOnly)) return [];
  const first = specFile === undefined ? 'gbuild init, then write' : 'write';
  return [`${first} in gbuild.yml: image: {entrypoint: ${JSON.stringify(words)}}   # as the script ${found.name}`];
}

/**
 * Suggests where the package belongs: a toolchain from the catalog takes packages, another base is the owner's to
 * change.
 */
function namePackage(what: string, { spec, toolchain }: WorkspaceSession): string {
  const isOwn = spec.image.base === 'auto' && toolchain.kind === 'catalog';
  if (spec.image.base === nothing) return `name a base that has ${what}: image.base in gbuild.yml`;
  return isOwn
    ? `name the Debian package of ${what}: toolchain: {name: ${toolchain.name}, packages: [PACKAGE]}   # in gbuild.yml`
    : `put ${what} into the base, ${spec.image.base === 'auto' ? toolchain.request : spec.image.base}, or name another one: image.base in gbuild.yml`;
}

function correctStart({ spec, specFile, defaults }: WorkspaceSession): string {
  const { entrypoint, cmd } = spec.image;
  if (specFile === undefined) return 'gbuild init   # then say in gbuild.yml what starts: image.entrypoint';
  if (entrypoint !== undefined || cmd !== undefined)
    return `correct image.${entrypoint === undefined ? 'cmd' : 'entrypoint'} in gbuild.yml`;
  const because = defaults.entrypoint === undefined ? '' : `   # now ${defaults.entrypoint.because}`;
  return `say what starts: image.entrypoint in gbuild.yml${because}`;
}

function explainMend({ name, mend }: StartFault, { session, plan }: ExplainInput): Explanation {
  const path = listPlaces(name, plan.layers).find((place) => isThere(session, place));
  if (path === undefined) return { because: [], remedies: [correctStart(session)] };
  if (mend === 'mode')
    return say(`${path} has no executable bit`, `chmod +x ${path} && git update-index --chmod=+x ${path}`);
  return say(
    `${path} has line ends of Windows`,
    `echo '${path} text eol=lf' >> .gitattributes && git add --renormalize ${path}`,
  );
}

function say(because: string, ...remedies: string[]): Explanation {
  return { because: [because], remedies };
}
