import tls from 'node:tls';
import { Dialer } from '../../registry/http/dial.ts';
import { defaultSettings, type RegistrySettings } from '../../registry/http/settings.ts';
import type { PutContext } from './depot.ts';

/** Opens connections with the caller's proxies and the host's additional roots, as registries have them. */
export function openDialer({ host, readExtraRoots }: Pick<PutContext, 'host' | 'readExtraRoots'>): Dialer {
  let context: tls.SecureContext | undefined;
  return new Dialer({
    env: host.env,
    verify: true,
    secureContextFor: () => {
      const extraRoots = readExtraRoots();
      if (extraRoots === '') return undefined;
      context ??= tls.createSecureContext({ ca: [...tls.rootCertificates, extraRoots] });
      return context;
    },
  });
}

export function settingsOf({ settings }: Pick<PutContext, 'settings'>): RegistrySettings {
  return { ...defaultSettings, ...settings };
}
