import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import tls from 'node:tls';
import { largestSettings, readTextIfAny } from '../../fs/read-bounded.ts';
import type { Host } from '../../host.ts';
import { keystoreOf } from './keystore.ts';

/**
 * Settings that a company's network needs and that no container has. They belong in builds and runs, never in an image.
 */
export interface HostTrust {
  /** PEM of the additional roots that this host trusts; '' when there are none. */
  extraRoots: string;
  /** Proxy variables, each in upper and lower case; values may hold credentials. */
  proxies: Record<string, string>;
}

/** Files of the distributions' bundles, which the host's own tools trust. */
const systemBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * Folders with public roots that a distribution adds to Node's: the host trusts them, but its owner did not add them.
 */
const publicRootFolders = ['/usr/share/ca-certificates/mozilla'];

const proxyNames = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'];

/** Reads the extra roots of the host's store, NODE_EXTRA_CA_CERTS and SSL_CERT_FILE, and its proxy variables. */
export function readHostTrust(host: Pick<Host, 'env' | 'platform'>): HostTrust {
  return { extraRoots: readExtraRoots(host), proxies: readProxies(host.env) };
}

/** Returns all roots to trust as one PEM: Node's own and the additional ones. */
export function trustBundle({ extraRoots }: HostTrust): string {
  return `${tls.rootCertificates.join('\n')}\n${extraRoots}`;
}

/** Returns all roots to trust as a Java keystore. */
export function trustKeystore(trust: HostTrust): Buffer {
  return keystoreOf([...tls.rootCertificates, ...parseCertificates(trust.extraRoots)]);
}

function readExtraRoots({ env, platform }: Pick<Host, 'env' | 'platform'>): string {
  const named = [env.NODE_EXTRA_CA_CERTS, env.SSL_CERT_FILE].filter((file) => file !== undefined && file !== '');
  const files = [...new Set([...(named as string[]), ...systemBundles])];
  const found = [...files.map(readRoots), ...systemRoots(platform)].flatMap(parseCertificates);
  const known = new Set(tls.rootCertificates.map(certificateBody));
  const extra = new Map<string, string>();
  for (const pem of found) {
    const body = certificateBody(pem);
    if (!known.has(body)) extra.set(body, pem);
  }
  if (extra.size > 0) for (const body of publicRoots()) extra.delete(body);
  return [...extra.values()].map((pem) => `${pem}\n`).join('');
}

/** Reads the system's store where the roots are no file (macOS, Windows); Node 22.15 and later can. */
function systemRoots(platform: NodeJS.Platform): string[] {
  if (platform === 'linux' || typeof tls.getCACertificates !== 'function') return [];
  return tls.getCACertificates('system');
}

function publicRoots(): string[] {
  return publicRootFolders.flatMap((folder) =>
    listFiles(folder).flatMap((name) => parseCertificates(readRoots(join(folder, name))).map(certificateBody)),
  );
}

/**
 * Reads the proxies, each under both spellings: curl and apt read the lower-case one, others the upper-case one.
 * Different values for the two stay.
 */
function readProxies(env: Host['env']): Record<string, string> {
  const found = proxyNames.flatMap((name) => {
    const small = name.toLowerCase();
    const [capital, other] = [env[name] || env[small], env[small] || env[name]];
    return capital && other ? [[name, capital] as const, [small, other] as const] : [];
  });
  return Object.fromEntries(found);
}

function parseCertificates(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
}

/** Returns the body, which is the same for every way of breaking its lines. */
function certificateBody(pem: string): string {
  return pem.replaceAll(/\s+/g, '');
}

/** Reads the roots; empty where the file is missing. */
function readRoots(file: string): string {
  return readTextIfAny(file, largestSettings) ?? '';
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
