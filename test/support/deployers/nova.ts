import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { installPackages } from '../engines/test-engine.ts';
import { testCacheDir } from '../runner/cache-dir.ts';
import { makeOnce, runToEnd } from '../runner/make-once.ts';
import type { Moto } from './moto.ts';

const version = '11.2.1';

/** Versions that Nova's last release, of 2018, works with. */
const packages = [
  'docopt',
  'boto3',
  'cement==2.8.2',
  'argcomplete==1.4.1',
  'Cerberus',
  'colorama',
  'docker-py==1.10.6',
  'GitPython',
  'Jinja2',
  'ordereddict',
  'pyaml',
  'six',
  'termcolor',
  'requests<2.29',
  'urllib3<2',
  'pycryptodome',
];

/** Gives Nova's setup.py and Nova the modules of pip that pip no longer has. */
const modulesOfPip = `import sys
import types


def parse_requirements(file, **_):
    with open(file) as lines:
        return [types.SimpleNamespace(req=line.strip()) for line in lines if line.strip() and line[0] != '#']


sys.modules['pip.req'] = types.ModuleType('pip.req')
sys.modules['pip.req'].parse_requirements = parse_requirements
sys.modules['pip.download'] = types.ModuleType('pip.download')
sys.modules['pip.download'].PipSession = object
`;

const tobytes = `def tobytes(value):
    return value if isinstance(value, bytes) else value.encode('latin-1')
`;

export interface NovaCall {
  moto: Moto;
  /** Folder with nova.yml. */
  cwd: string;
  /** Folder that Nova takes for the caller's home. */
  homeDir: string;
}

/** Runs Nova itself. Returns its exit code and all that it wrote. */
export async function runNova(
  args: string[],
  { moto, cwd, homeDir }: NovaCall,
): Promise<{ exitCode: number; output: string }> {
  const python = await ensureNova();
  mkdirSync(join(homeDir, '.aws'), { recursive: true });
  // A profile that is named, as nova.yml does, takes no key from the environment.
  const { AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = moto.env;
  const lines = [
    '[default]',
    `region = ${AWS_REGION}`,
    `aws_access_key_id = ${AWS_ACCESS_KEY_ID}`,
    `aws_secret_access_key = ${AWS_SECRET_ACCESS_KEY}`,
  ];
  writeFileSync(join(homeDir, '.aws/config'), `${lines.join('\n')}\n`);
  const start = "import sys; sys.argv[0] = 'nova'; from nova.cli.main import main; main()";
  const { exitCode, all } = await execa(python, ['-c', start, ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...moto.env, HOME: homeDir, PYTHONWARNINGS: 'ignore' },
    extendEnv: false,
    reject: false,
    all: true,
    stdin: 'ignore',
  });
  return { exitCode: exitCode ?? -1, output: all ?? '' };
}

/** Makes what Nova wants of an account: an alias, a bucket, an application and its deployment groups. */
export async function prepareAccount(
  moto: Moto,
  { bucket, application, groups }: { bucket: string; application: string; groups: string[] },
): Promise<void> {
  await moto.query('iam', { Action: 'CreateAccountAlias', AccountAlias: 'tests' });
  await moto.makeBucket(bucket);
  await askCodeDeploy(moto, 'CreateApplication', { applicationName: application, computePlatform: 'Server' });
  for (const deploymentGroupName of groups)
    await askCodeDeploy(moto, 'CreateDeploymentGroup', {
      applicationName: application,
      deploymentGroupName,
      serviceRoleArn: 'arn:aws:iam::123456789012:role/deploy',
    });
}

/** Sends a request of CodeDeploy. Returns the parsed answer. */
export async function askCodeDeploy(moto: Moto, action: string, body: object): Promise<unknown> {
  const credential = 'AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/codedeploy/aws4_request';
  const answer = await fetch(`${moto.url}/`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-amz-json-1.1',
      'X-Amz-Target': `CodeDeploy_20141006.${action}`,
      Authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host;x-amz-date, Signature=0`,
    },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${action}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

/** Makes Python's environment with Nova in the tests' cache. Returns its python. */
async function ensureNova(): Promise<string> {
  const dir = join(testCacheDir, `gilt-nova-${version}`);
  await makeOnce(dir, `install gilt-nova ${version}`, async (temporary) => {
    const makeVenv = () => runToEnd('/usr/bin/python3', ['-m', 'venv', temporary]);
    // Debian's python3 has no ensurepip without python3-venv.
    await makeVenv().catch(async () => {
      await installPackages(['python3', 'python3-venv']);
      await makeVenv();
    });
    const python = join(temporary, 'bin/python3');
    const pip = (...args: string[]) => runToEnd(python, ['-m', 'pip', 'install', '--quiet', ...args]);
    await pip('setuptools<58', 'wheel');
    await pip(...packages);
    const site = (await runToEnd(python, ['-c', 'import site; print(site.getsitepackages()[0])'])).trim();
    writeFileSync(join(site, 'modules_of_pip.py'), modulesOfPip);
    writeFileSync(join(site, 'modules_of_pip.pth'), 'import modules_of_pip\n');
    await pip('--no-build-isolation', '--no-deps', 'PyYAML==5.3.1', `gilt-nova==${version}`);
    // Nova checks that its packages are there by their names; pycryptodome takes the place of pycrypto.
    mkdirSync(join(site, 'pycrypto-2.6.1.dist-info'));
    writeFileSync(
      join(site, 'pycrypto-2.6.1.dist-info/METADATA'),
      'Metadata-Version: 2.1\nName: pycrypto\nVersion: 2.6.1\n',
    );
    writeFileSync(join(site, 'Crypto/Util/py3compat.py'), tobytes);
  });
  return join(dir, 'bin/python3');
}
