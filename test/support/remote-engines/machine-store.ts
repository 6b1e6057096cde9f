import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Authority, Issued } from '../network/authority.ts';

/** Settings of a machine. */
export interface MachineOptions {
  driver: 'none' | 'generic' | 'virtualbox';
  /** Address as `IP`, or `IP:PORT` for drivers with a port or a URL. */
  address: string;
  authority: Authority;
  client: Issued;
  configVersion?: number;
  tlsVerify?: boolean;
}

/** Writes a machine into a store like docker-machine 0.16; MACHINE_STORAGE_PATH names the store's folder. */
export function writeMachine(store: string, name: string, options: MachineOptions): void {
  const { driver, address, authority, client, configVersion = 3, tlsVerify = true } = options;
  const dir = join(store, 'machines', name);
  const certDir = join(store, 'certs');
  // Driver none makes no certificates: it uses the store's.
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

/**
 * Returns the driver's settings: driver none has a URL, generic a port, and virtualbox an address with docker-machine's
 * port.
 */
function driverOf(driver: MachineOptions['driver'], address: string): object {
  const [ip = '', port = '2376'] = address.split(':');
  const ssh = { SSHUser: 'docker', SSHPort: 22, SSHKeyPath: '', SwarmMaster: false, SwarmHost: '', SwarmDiscovery: '' };
  if (driver === 'none') return { ...ssh, IPAddress: address, SSHUser: '', SSHPort: 0, URL: `tcp://${address}` };
  if (driver === 'generic') return { ...ssh, IPAddress: ip, EnginePort: Number(port), SSHKey: '' };
  return { ...ssh, IPAddress: ip, VBoxManager: {}, HostInterfaces: {}, CPU: 1, Memory: 1024, DiskSize: 20_000 };
}
