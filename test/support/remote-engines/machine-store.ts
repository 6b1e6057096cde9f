import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Authority, Issued } from '../network/authority.ts';

/** What a test may say of a machine. */
export interface MachineOptions {
  driver: 'none' | 'generic' | 'virtualbox';
  /** `IP`, or `IP:PORT` for the drivers that have a port or a URL of their own. */
  address: string;
  authority: Authority;
  client: Issued;
  configVersion?: number;
  tlsVerify?: boolean;
}

/** Writes a machine into a store as docker-machine 0.16 does; the store's folder is what MACHINE_STORAGE_PATH names. */
export function writeMachine(store: string, name: string, options: MachineOptions): void {
  const { driver, address, authority, client, configVersion = 3, tlsVerify = true } = options;
  const dir = join(store, 'machines', name);
  const certDir = join(store, 'certs');
  // Driver none makes no certificates of its own: the store's are what there is.
  const clientDir = driver === 'none' ? certDir : dir;
  for (const folder of [dir, certDir]) mkdirSync(folder, { recursive: true });
  copyFileSync(authority.rootFile, join(clientDir, 'ca.pem'));
  copyFileSync(client.certFile, join(clientDir, 'cert.pem'));
  copyFileSync(client.keyFile, join(clientDir, 'key.pem'));
  const config = {
    ConfigVersion: configVersion,
    Driver: { ...driverOf(driver, address), MachineName: name, StorePath: store },
    DriverName: driver,
    HostOptions: {
      Driver: '',
      Memory: 0,
      Disk: 0,
      EngineOptions: { ArbitraryFlags: [], TlsVerify: tlsVerify, InstallURL: 'https://get.docker.com' },
      SwarmOptions: { IsSwarm: false, Host: 'tcp://0.0.0.0:3376' },
      AuthOptions: {
        CertDir: certDir,
        CaCertPath: join(certDir, 'ca.pem'),
        ClientKeyPath: join(certDir, 'key.pem'),
        ClientCertPath: join(certDir, 'cert.pem'),
        ServerCertPath: join(dir, 'server.pem'),
        ServerKeyPath: join(dir, 'server-key.pem'),
        ServerCertSANs: [],
        StorePath: dir,
      },
    },
    Name: name,
  };
  writeFileSync(join(dir, 'config.json'), JSON.stringify(config, null, 4));
}

/** A URL is written for driver none alone; generic has a port; virtualbox an address and docker-machine's port. */
function driverOf(driver: MachineOptions['driver'], address: string): object {
  const [ip = '', port = '2376'] = address.split(':');
  const ssh = { SSHUser: 'docker', SSHPort: 22, SSHKeyPath: '', SwarmMaster: false, SwarmHost: '', SwarmDiscovery: '' };
  if (driver === 'none') return { ...ssh, IPAddress: address, SSHUser: '', SSHPort: 0, URL: `tcp://${address}` };
  if (driver === 'generic') return { ...ssh, IPAddress: ip, EnginePort: Number(port), SSHKey: '' };
  return { ...ssh, IPAddress: ip, VBoxManager: {}, HostInterfaces: {}, CPU: 1, Memory: 1024, DiskSize: 20_000 };
}
