import { type FromIniInit, fromIni } from '@aws-sdk/credential-provider-ini';
import { type DefaultProviderInit, defaultProvider } from '@aws-sdk/credential-provider-node';
import { GbuildError, messageOf } from '../../errors.ts';
import { escapeLine } from '../../escape.ts';
import type { Host } from '../../host.ts';
import type { Redactor } from '../../registry/http/redact.ts';
import type { S3Handler } from './s3-handler.ts';
import type { S3Settings } from './s3-settings.ts';

/** Credentials for signing. */
export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  expiration?: Date;
}

/** Milliseconds to wait for the metadata of an instance: a laptop has none, and nothing says so. */
const metadataTimeout = 1000;

/**
 * Finds credentials: the caller's variables, else the profile's (keys, roles, SSO, a process), a web identity's, a
 * container's or an instance's. @throws GbuildError `registry-denied` where there are none
 */
export function findS3Credentials(
  { env }: Pick<Host, 'env'>,
  settings: S3Settings,
  handler: S3Handler,
  redactor: Redactor,
): () => Promise<S3Credentials> {
  const find = chooseProvider(env, settings, handler);
  return async () => {
    let found: S3Credentials;
    try {
      found = await find();
    } catch (thrown) {
      throw explain(thrown, env, settings);
    }
    redactor.add(found.secretAccessKey);
    if (found.sessionToken !== undefined) redactor.add(found.sessionToken);
    return found;
  };
}

function chooseProvider(env: Host['env'], settings: S3Settings, handler: S3Handler): () => Promise<S3Credentials> {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: token } = env;
  // As the AWS command line has it: keys in variables go before AWS_PROFILE.
  if (accessKeyId && secretAccessKey)
    return async () => ({ accessKeyId, secretAccessKey, ...(token && { sessionToken: token }) });
  const { profile, credentialsFile, configFile, region } = settings;
  const init = {
    ...(profile !== undefined && { profile }),
    filepath: credentialsFile,
    configFilepath: configFile,
    ...(env.AWS_WEB_IDENTITY_TOKEN_FILE && { webIdentityTokenFile: env.AWS_WEB_IDENTITY_TOKEN_FILE }),
    ...(env.AWS_ROLE_ARN && { roleArn: env.AWS_ROLE_ARN }),
    ...(env.AWS_ROLE_SESSION_NAME && { roleSessionName: env.AWS_ROLE_SESSION_NAME }),
    timeout: metadataTimeout,
    maxRetries: 0,
    // Roles and SSO are asked over the same connections.
    clientConfig: { region, requestHandler: handler },
  } satisfies Record<string, unknown>;
  // A profile that fails does not give way to an instance's credentials: the caller named another identity.
  if (settings.hasCredentials) return fromIni({ ...init, ignoreCache: true } as FromIniInit);
  return defaultProvider(init as DefaultProviderInit);
}

function explain(thrown: unknown, env: Host['env'], settings: S3Settings): GbuildError {
  const { profile = 'default', hasCredentials, credentialsFile, configFile } = settings;
  // The message of a process shows its command line, which may hold a secret.
  const message = messageOf(thrown);
  const why = message.startsWith('Command failed') ? 'its credential_process failed' : escapeLine(message);
  if (hasCredentials)
    return new GbuildError('registry-denied', `no AWS credentials: the profile ${profile} gives none: ${why}`, {
      suggestions: [`aws sts get-caller-identity --profile ${profile}`, `aws sso login --profile ${profile}`],
      facts: { profile },
    });
  const half = env.AWS_ACCESS_KEY_ID ? 'AWS_SECRET_ACCESS_KEY is not set' : 'AWS_ACCESS_KEY_ID is not set';
  const files = `${configFile} and ${credentialsFile} name none for the profile ${profile}`;
  return new GbuildError(
    'registry-denied',
    `no AWS credentials: ${half}, ${files}, and no container, instance or web identity gives them (${why})`,
    {
      suggestions: [
        'export AWS_PROFILE=NAME',
        'export AWS_ACCESS_KEY_ID=ID AWS_SECRET_ACCESS_KEY=SECRET',
        'aws configure',
      ],
    },
  );
}
