import { readFileSync, writeFileSync } from 'node:fs';
import { readHostTrust } from '../../../src/toolchain/host/trust.ts';

/** CA root that no other machine has; its key was deleted. */
export const ownRoot = `-----BEGIN CERTIFICATE-----
MIIBjDCCATOgAwIBAgIUcWRY5cy6e5y7Aa7dZKuIANrwkW8wCgYIKoZIzj0EAwIw
GzEZMBcGA1UEAwwQZ2J1aWxkIHRlc3Qgcm9vdDAgFw0yNjExMjMyMTA0NDlaGA8y
MTI2MTAzMDIxMDQ0OVowGzEZMBcGA1UEAwwQZ2J1aWxkIHRlc3Qgcm9vdDBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABG41riAcV0M4OihcJAoqBcEZrhM+wRhdyo62
BNo9Tx5XAsp0W1xu/i0ehi54EIddooxBd/yo2K7miW59ejfP74qjUzBRMB0GA1Ud
DgQWBBQYIDO72OWHAqDvm0qUGEp9oQZf4TAfBgNVHSMEGDAWgBQYIDO72OWHAqDv
m0qUGEp9oQZf4TAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCICHZ
XELTj3hjLobikZEtxHTMn1iaEbkTRjLCF8d3If+HAiBec+rn1E8+WbujpiOZojRT
amMWM+S+8O+9wk75NYbInQ==
-----END CERTIFICATE-----
`;

/** Writes a bundle of the tests' root and of those in this machine's NODE_EXTRA_CA_CERTS. */
export function writeOwnRoot(hostFile: string): string {
  const named = process.env.NODE_EXTRA_CA_CERTS;
  writeFileSync(hostFile, `${named === undefined ? '' : readFileSync(named, 'utf8')}\n${ownRoot}`);
  return hostFile;
}

/**
 * Lists traces of a CA root that this machine trusts in addition to the public ones, or of the tests' own: lines of
 * text, and bytes.
 */
export function listTracesOfRoots(): Buffer[] {
  const { extraRoots } = readHostTrust({ env: process.env, platform: process.platform });
  const roots = `${extraRoots}\n${ownRoot}`.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return roots.flatMap((pem) => {
    const lines = pem.split('\n').slice(1, -1);
    return [Buffer.from(lines[3]!), Buffer.from(lines.join(''), 'base64').subarray(-64)];
  });
}
