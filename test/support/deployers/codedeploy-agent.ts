import { copyFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { DeployHost } from './deploy-host.ts';
import { metadataAddress } from './deploy-host.ts';

/** Result of a deployment, as the console shows it. */
export interface Deployment {
  status: 'Succeeded' | 'Failed';
  /** Each event that ran, with its scripts' output. */
  events: { name: string; scripts: { location: string; exitCode: number; output: string }[] }[];
  /** Reason of a failure. */
  message?: string;
}

/** Agent of CodeDeploy on a host, by its documented rules. */
export interface CodeDeployAgent {
  /** Deploys a revision: a file of this machine that ends in `.tar.gz` or `.zip`. */
  deploy(revisionFile: string): Promise<Deployment>;
}

const before = ['BeforeInstall'] as const;
const after = ['AfterInstall', 'ApplicationStart', 'ValidateService'] as const;
const known = ['ApplicationStop', ...before, ...after];

/** An unknown hook or key is an error. */
const appSpecSchema = z.strictObject({
  version: z.literal(0),
  os: z.literal('linux'),
  files: z.array(z.strictObject({ source: z.string(), destination: z.string().startsWith('/') })).default([]),
  hooks: z
    .partialRecord(
      z.enum(known),
      z.array(
        z.strictObject({
          location: z.string(),
          timeout: z.int().positive().max(3600).default(3600),
          runas: z.string().optional(),
        }),
      ),
    )
    .default({}),
});

type AppSpec = z.output<typeof appSpecSchema>;

class EventFailed extends Error {}

const root = '/opt/codedeploy-agent/deployment-root';
const group = { id: '0b1c2d3e-group', name: 'production', application: 'hello' };

/** Opens an agent that has deployed nothing yet. */
export function openAgent(host: DeployHost): CodeDeployAgent {
  let turn = 0;
  let lastSuccessful: string | undefined;
  let installed: string[] = [];

  return {
    async deploy(revisionFile) {
      turn += 1;
      const id = `d-${String(turn).padStart(9, '0')}`;
      const archive = `${root}/${group.id}/${id}/deployment-archive`;
      const events: Deployment['events'] = [];
      const runHook = async (name: string, dir: string) => {
        const { hooks } = await readAppSpec(host, dir);
        const scripts: Deployment['events'][number]['scripts'] = [];
        events.push({ name, scripts });
        for (const script of hooks[name] ?? []) {
          const result = await runScript(host, dir, script, { LIFECYCLE_EVENT: name, DEPLOYMENT_ID: id });
          scripts.push({ location: script.location, ...result });
          if (result.exitCode !== 0)
            throw new EventFailed(`${name}: ${script.location} ended with ${result.exitCode}: ${result.output}`);
        }
      };
      try {
        // Each deployment that fails leaves the last successful revision as it is.
        if (lastSuccessful !== undefined) await runHook('ApplicationStop', lastSuccessful);
        events.push({ name: 'DownloadBundle', scripts: [] });
        await unpack(host, revisionFile, archive);
        const appSpec = await readAppSpec(host, archive);
        for (const name of before) await runHook(name, archive);
        events.push({ name: 'Install', scripts: [] });
        installed = await install(host, archive, appSpec, installed);
        for (const name of after) await runHook(name, archive);
        lastSuccessful = archive;
        return { status: 'Succeeded', events };
      } catch (thrown) {
        if (!(thrown instanceof EventFailed)) throw thrown;
        return { status: 'Failed', events, message: thrown.message };
      }
    },
  };
}

async function unpack(host: DeployHost, revisionFile: string, archive: string): Promise<void> {
  const file = join(host.sharedDir, basename(revisionFile));
  copyFileSync(revisionFile, file);
  const command = file.endsWith('.zip') ? 'unzip -q "$1"' : 'tar -zxpsf "$1"';
  await host.must(`mkdir -p "$2"; cd "$2"; ${command}; rm "$1"`, file, archive);
}

async function readAppSpec(host: DeployHost, archive: string): Promise<AppSpec> {
  const { exitCode, stdout } = await host.run(['cat', `${archive}/appspec.yml`]);
  if (exitCode !== 0) throw new EventFailed('the revision has no appspec.yml at its root');
  // The agent compares the version as text, too.
  if (!/^version: 0\.0$/m.test(stdout)) throw new EventFailed('appspec.yml: version must be 0.0');
  const parsed = appSpecSchema.safeParse(parse(stdout));
  if (!parsed.success) throw new EventFailed(`appspec.yml: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** Runs a script outside of its folder; a script that leaves a process with its output open fails. */
const runOne = `cd /
chmod +x "$1"
log=$(mktemp /opt/codedeploy-agent/log.XXXXXX)
code=0
timeout --kill-after=5 "$2" "$1" </dev/null >"$log" 2>&1 || code=$?
left=$(find /proc/[0-9]*/fd -lname "$log" 2>/dev/null || true)
cat "$log"
rm "$log"
if [[ -n $left ]]; then echo "the script left its output open"; exit 125; fi
exit "$code"`;

async function runScript(
  host: DeployHost,
  archive: string,
  { location, timeout }: { location: string; timeout: number },
  env: Record<string, string>,
): Promise<{ exitCode: number; output: string }> {
  const { exitCode, output } = await host.run(
    ['bash', '-euc', runOne, 'bash', `${archive}/${location}`, `${timeout}`],
    {
      env: {
        ...env,
        APPLICATION_NAME: group.application,
        DEPLOYMENT_GROUP_NAME: group.name,
        DEPLOYMENT_GROUP_ID: group.id,
        AWS_EC2_METADATA_SERVICE_ENDPOINT: metadataAddress,
      },
    },
  );
  return { exitCode, output: output.trimEnd() };
}

/** Removes what the last deployment put, then copies. Returns what it put. */
async function install(
  host: DeployHost,
  archive: string,
  { files }: AppSpec,
  installed: readonly string[],
): Promise<string[]> {
  for (const path of installed) await host.must('rm -f "$1"', path);
  const put: string[] = [];
  for (const { source, destination } of files) {
    const found = (await host.must('cd "$1"; find "$2" -type f -printf "%P\\n"', archive, source)).split('\n');
    for (const below of found) {
      const from = below === '' ? `${archive}/${source}` : `${archive}/${source}/${below}`;
      const to = `${destination}/${below === '' ? basename(source) : below}`;
      const isThere = (await host.run(['test', '-e', to])).exitCode === 0;
      if (isThere) throw new EventFailed(`Install: a file already exists at this location: ${to}`);
      await host.must('mkdir -p "$(dirname "$2")"; cp -p "$1" "$2"', from, to);
      put.push(to);
    }
  }
  return put;
}
