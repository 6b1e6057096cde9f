import type { SpecInput } from '../schema/schema.ts';

/** Explanation of a key in `gbuild init`, and an example as a comment for a repository that does not need the key. */
export interface Section {
  key: keyof SpecInput;
  explain: string[];
  example?: unknown;
}

/** Sections in the order of the file. */
export const sections: Section[] = [
  { key: 'gbuild', explain: ['The version of this format.'] },
  { key: 'name', explain: ['The repository of the image: name:1.0.1 is what "gbuild image --release 1.0.1" makes.'] },
  { key: 'registry', explain: ['Where the image is pushed to: HOST or HOST:PORT.'], example: 'registry.example.com' },
  {
    key: 'toolchain',
    explain: [
      'The versioned container to build in. gbuild.lock keeps the exact version the range was resolved to.',
      'An image reference, or a folder with a Dockerfile such as ./build-image, will do too.',
    ],
  },
  {
    key: 'catalogs',
    explain: ["Toolchains of your own, asked before gbuild's: folders of the repository, or git addresses."],
    example: ['./toolchains', 'https://git.example.com/toolchains.git#v1'],
  },
  { key: 'env', explain: ['Variables of every task. Quote numbers.'], example: { LOG_LEVEL: 'info' } },
  {
    key: 'passEnv',
    explain: ['Variables of yours that tasks may see: names or globs. Nothing else of your environment gets in.'],
    example: ['CI', 'AWS_*'],
  },
  {
    key: 'secrets',
    explain: [
      'Passwords, tokens and keys, and where each comes from: env, file or command. A task that lists one gets it as a',
      'file, and a release in which it is found is refused.',
    ],
    example: { REGISTRY_TOKEN: { env: 'REGISTRY_TOKEN' } },
  },
  {
    key: 'caches',
    explain: ['Folders kept between runs. "auto" is what the toolchain knows to keep.'],
    example: [{ name: 'downloads', path: '/cache/downloads' }],
  },
  { key: 'resources', explain: ['Limits of each task.'], example: { cpus: 2, memory: '2g', pids: 4096 } },
  { key: 'network', explain: ['bridge, none or host.'], example: 'bridge' },
  {
    key: 'sync',
    explain: [
      'An engine that does not see this folder gets a copy of all that git does not ignore. Ignored files that tasks',
      'need there are named here.',
    ],
    example: { include: ['.env.test', 'vendor/**'] },
  },
  {
    key: 'services',
    explain: ['Services, such as a database, that run while tasks that list them do; these reach them by name.'],
    example: { db: { image: 'postgres:17', env: { POSTGRES_PASSWORD: 'test' }, ready: { cmd: ['pg_isready'] } } },
  },
  {
    key: 'tasks',
    explain: [
      'Tasks. "gbuild run NAME" runs one; "gbuild build" and "gbuild test" run those two.',
      'A command, or a mapping with run, needs, env, secrets, ports, services, timeout, reports, split and workdir.',
    ],
    example: {
      build: 'make',
      test: { run: 'make test', needs: ['build'], timeout: '10m', reports: ['reports/*.xml'] },
    },
  },
  {
    key: 'image',
    explain: [
      'The image. By default: the runtime image of the toolchain, the layers the toolchain knows to make, and a',
      'numeric user without rights. The task "build" runs first, when there is one.',
    ],
    example: {
      base: 'auto',
      layers: [{ name: 'application', from: 'dist', exclude: ['**/*.tmp'], to: '/app' }],
      entrypoint: ['/app/dist/server'],
      expose: [8080],
      env: { LOG_LEVEL: 'info' },
      health: { cmd: ['/app/dist/health'], interval: '30s' },
    },
  },
  {
    key: 'deliver',
    explain: [
      'How releases are handed over: what deployers must know of the service, the channels that point at a release,',
      'and the targets that take one.',
    ],
    example: {
      service: { port: 8080, health: '/health', memory: '512m' },
      channels: { canary: {}, production: { after: 'canary', soak: '1h' } },
      targets: { web: 'compose' },
    },
  },
];
