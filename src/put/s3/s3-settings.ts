import { join } from 'node:path';
import { GbuildError } from '../../errors.ts';
import { escapeLine } from '../../escape.ts';
import { largestSettings, readTextIfAny } from '../../fs/read-bounded.ts';
import type { Host } from '../../host.ts';
import { type AwsSections, parseAwsConfig } from './aws-config.ts';

/** Where S3 is, by the caller's variables and profile files. */
export interface S3Settings {
  /** Name of the caller's profile; undefined where no variable names one. */
  profile: string | undefined;
  /** Whether the profile, named or `default`, says where its credentials come from. */
  hasCredentials: boolean;
  credentialsFile: string;
  configFile: string;
  region: string;
  /** Server instead of AWS. */
  endpoint: string | undefined;
  /** Whether the bucket is the first part of the path, as other servers want it. */
  isPathStyle: boolean;
}

/** Keys of a profile that lead to credentials. */
const credentialKeys = [
  'aws_access_key_id',
  'role_arn',
  'credential_process',
  'web_identity_token_file',
  'sso_session',
  'sso_start_url',
  'login_session',
];

/** Region that S3 answers for when none is named; it then tells the bucket's own. */
const defaultRegion = 'us-east-1';

/** Reads them as the AWS tools do. @throws GbuildError `config-invalid` for an unknown profile, and an endpoint that is none */
export function readS3Settings({ env, homeDir }: Pick<Host, 'env' | 'homeDir'>): S3Settings {
  const credentialsFile = env.AWS_SHARED_CREDENTIALS_FILE || join(homeDir, '.aws/credentials');
  const configFile = env.AWS_CONFIG_FILE || join(homeDir, '.aws/config');
  const config = parseAwsConfig(readTextIfAny(configFile, largestSettings) ?? '');
  const credentials = parseAwsConfig(readTextIfAny(credentialsFile, largestSettings) ?? '');
  const profile = env.AWS_PROFILE || env.AWS_DEFAULT_PROFILE || undefined;
  const name = profile ?? 'default';
  const own = config.get(name === 'default' ? 'default' : `profile ${name}`) ?? config.get(`profile ${name}`);
  if (profile !== undefined && own === undefined && !credentials.has(profile))
    throw unknownProfile(profile, config, credentials, [configFile, credentialsFile]);
  const endpoint = readEndpoint(env, own ?? {}, config);
  return {
    profile,
    hasCredentials: [own, credentials.get(name)].some((section) =>
      credentialKeys.some((key) => section?.[key] !== undefined),
    ),
    credentialsFile,
    configFile,
    region: env.AWS_REGION || env.AWS_DEFAULT_REGION || own?.region || defaultRegion,
    endpoint,
    isPathStyle: endpoint !== undefined && !/\.amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname),
  };
}

function readEndpoint(
  env: Host['env'],
  own: Readonly<Record<string, string>>,
  config: AwsSections,
): string | undefined {
  if ((env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS || own.ignore_configured_endpoint_urls) === 'true') return undefined;
  const services = config.get(`services ${own.services ?? ''}`) ?? {};
  const found = [
    ['AWS_ENDPOINT_URL_S3', env.AWS_ENDPOINT_URL_S3],
    ['AWS_ENDPOINT_URL', env.AWS_ENDPOINT_URL],
    [`endpoint_url of s3 in the services ${own.services}`, services['s3.endpoint_url']],
    ['endpoint_url of the profile', own.endpoint_url],
  ].find(([, value]) => value !== undefined && value !== '');
  if (found === undefined) return undefined;
  const [where = '', value = ''] = found;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return value;
  throw new GbuildError('config-invalid', `${where} is not an http address without a user`, {
    suggestions: ['export AWS_ENDPOINT_URL_S3=https://HOST[:PORT]'],
  });
}

function unknownProfile(
  profile: string,
  config: AwsSections,
  credentials: AwsSections,
  files: readonly string[],
): GbuildError {
  const named = [...config.keys()].flatMap((name) => /^profile (.*)$/.exec(name)?.[1] ?? []);
  const known = [...new Set([...named, ...credentials.keys(), ...(config.has('default') ? ['default'] : [])])].sort();
  const has = known.length === 0 ? 'no profile is there' : `there are: ${known.map(escapeLine).join(', ')}`;
  return new GbuildError(
    'config-invalid',
    `AWS_PROFILE names ${escapeLine(profile)}, which is neither in ${files.join(' nor in ')}; ${has}`,
    {
      suggestions: [known.length === 0 ? 'aws configure' : `export AWS_PROFILE=${known[0]}`],
    },
  );
}
