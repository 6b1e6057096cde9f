import { type Moto, startMoto } from '../deployers/moto.ts';
import { type FaultProxy, startFaultProxy } from '../network/fault-proxy.ts';

/** S3 with the bucket `releases`, behind a proxy that fails on demand. */
export interface S3Rig extends AsyncDisposable {
  moto: Moto;
  proxy: FaultProxy;
  /** Environment of a client that goes through the proxy. */
  env: Record<string, string>;
  /** Reads an object, past the proxy. */
  read(key: string): Promise<Buffer | undefined>;
  /** Writes an object as another tool does. */
  write(key: string, bytes: Buffer): Promise<void>;
  /** Returns the multipart uploads that were neither completed nor aborted. */
  uploads(): Promise<string[]>;
  /** Returns the methods of the requests so far. */
  methods(): string;
}

export async function openS3Rig(): Promise<S3Rig> {
  const moto = await startMoto();
  await moto.makeBucket('releases');
  const proxy = await startFaultProxy(moto.host);
  const ask = (path: string, method = 'GET', body?: Buffer) =>
    fetch(`${moto.url}/releases${path}`, {
      method,
      headers: { Authorization: 'AWS x:y' },
      ...(body && { body: new Uint8Array(body) }),
    });
  return {
    moto,
    proxy,
    env: { ...moto.env, AWS_ENDPOINT_URL: `http://${proxy.host}` },
    read: async (key) => {
      const answer = await ask(`/${key}`);
      return answer.status === 200 ? Buffer.from(await answer.arrayBuffer()) : undefined;
    },
    write: async (key, bytes) => {
      const { status } = await ask(`/${key}`, 'PUT', bytes);
      if (status !== 200) throw new Error(`${key} was not written: ${status}`);
    },
    uploads: async () => (await (await ask('?uploads')).text()).match(/<Upload>/g) ?? [],
    methods: () => proxy.requests.map(({ method }) => method).join(' '),
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      await moto[Symbol.asyncDispose]();
    },
  };
}

let count = 0;

export function nextNumber(): number {
  count += 1;
  return count;
}

/** Returns a key that no other test has. */
export function newKey(): string {
  return `app/${nextNumber()}.tar.gz`;
}

/** Returns the address of a key in the rig's bucket. */
export function at(key: string): string {
  return `s3://releases/${key}`;
}
