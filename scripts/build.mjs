// Bundles src/ into dist/ (one entry a command, shared chunks) and writes oclif's manifest, so that a start loads only
// what its command needs.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

process.env.OCLIF_COLUMNS = '100';

const root = fileURLToPath(new URL('..', import.meta.url));
const commands = readdirSync(`${root}src/commands`, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('base/'))
  .map((file) => `src/commands/${file}`);

/**
 * docker-modem's ssh client and dockerode's BuildKit session and contexts are never used, so they are neither loaded
 * nor shipped.
 */
const withoutUnused = {
  name: 'without-unused',
  setup(builder) {
    builder.onResolve(
      { filter: /^(ssh2|cpu-features|@grpc\/grpc-js|@grpc\/proto-loader|@balena\/dockerignore)$/ },
      () => ({
        path: 'absent',
        namespace: 'absent',
      }),
    );
    // gbuild's tar-fs has another major version than dockerode's.
    builder.onResolve({ filter: /^tar-fs$/ }, ({ importer }) =>
      importer.includes('dockerode') ? { path: 'absent', namespace: 'absent' } : undefined,
    );
    builder.onResolve({ filter: /^\.\/session$/ }, ({ importer }) =>
      importer.includes('dockerode') ? { path: 'absent', namespace: 'absent' } : undefined,
    );
    builder.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'module.exports = {};' }));
    // oclif and docker-modem trace with debug; DEBUG=gbuild:* is gbuild's own. The test for WSL has no effect here.
    builder.onResolve({ filter: /^(debug|wsl-utils)$/ }, ({ path }) => ({ path, namespace: 'silent' }));
    builder.onLoad({ filter: /^debug$/, namespace: 'silent' }, () => ({ contents: silentDebug }));
    builder.onLoad({ filter: /^wsl-utils$/, namespace: 'silent' }, () => ({ contents: 'export const isWsl = false;' }));
  },
};

const silentDebug = `const silent = () => Object.assign(() => {}, { enabled: false, extend: silent });
module.exports = Object.assign(silent, { enable() {}, disable() {}, enabled: () => false, default: silent });`;

/**
 * Takes only the names that a module uses from Node's own modules. The facade of an import touches every export: one of
 * node:http's loads a whole fetch implementation, and the bundler's copy of it defines a getter for each.
 */
function takeBuiltins(source) {
  return source.replace(/^import (?!type\b)([^;'"]+?) from ['"](node:[\w/]+)['"];?$/gm, (whole, taken, module) => {
    const [, main, star, named] = /^(?:(\w+)(?:,\s*)?)?(?:\* as (\w+))?(?:\{([^}]*)\})?$/.exec(taken) ?? [];
    const names = (named ?? '').split(',').map((each) => each.trim());
    const used = names
      .filter((each) => each !== '' && !each.startsWith('type '))
      .map((each) => each.replace(' as ', ': '));
    // A module may take `process` itself under that name.
    const from = `globalThis.process.getBuiltinModule('${module}')`;
    const wholes = [main, star].filter((name) => name !== undefined);
    if (wholes.length + used.length === 0) return whole;
    return [
      ...wholes.map((name) => `const ${name} = ${from};`),
      ...(used.length > 0 ? [`const { ${used.join(', ')} } = ${from};`] : []),
    ].join(' ');
  });
}

const namedBuiltins = {
  name: 'named-builtins',
  setup(builder) {
    builder.onLoad({ filter: /\.(ts|mjs|js)$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      const contents = takeBuiltins(source);
      return contents === source ? undefined : { contents, loader: path.endsWith('.ts') ? 'ts' : 'js' };
    });
  },
};

/**
 * oclif's modules require one another when they load, used or not. In the bundle they load when a name is first used:
 * half of a start was spent on help, globbing and templates that no command needs.
 */
const lazyOclif = {
  name: 'lazy-oclif',
  setup(builder) {
    builder.onLoad({ filter: /@oclif[\\/]core[\\/]lib[\\/].*\.js$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8')
        .replace(/^const (\w+) = require\(("[^"]+")\);$/gm, 'const $1 = gbuildLazy(() => require($2));')
        .replace(
          /^const (\w+) = __importDefault\(require\(("[^"]+")\)\);$/gm,
          'const $1 = gbuildLazy(() => __importDefault(require($2)));',
        )
        // The first comparison by locale loads tables for 6 ms; ids of commands need no locale.
        .replace(/\b([\w.]+)\.localeCompare\(([\w.]+)\)/g, '($1 < $2 ? -1 : $1 > $2 ? 1 : 0)');
      // bin/run.js has already checked Node's version, against gbuild's own minimum.
      return { contents: `${lazy}\n${source.replace(/^checkNodeVersion\(\);$/m, '')}`, loader: 'js' };
    });
  },
};
const lazy = `const gbuildLazy = (load) => {
  let loaded;
  const use = () => (loaded ??= load());
  return new Proxy({}, { get: (_, key) => use()[key], has: (_, key) => key in use(), ownKeys: () => Reflect.ownKeys(use()),
    getOwnPropertyDescriptor: (_, key) => ({ ...Object.getOwnPropertyDescriptor(use(), key), configurable: true }) });
};`;

const options = {
  metafile: true,
  absWorkingDir: root,
  entryPoints: ['src/main.ts', ...commands],
  outbase: 'src',
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.13',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  plugins: [withoutUnused, lazyOclif, namedBuiltins],
  banner: {
    js: "const{createRequire:gbuildRequire}=process.getBuiltinModule('node:module');const{fileURLToPath:gbuildPath}=process.getBuiltinModule('node:url');const require=gbuildRequire(import.meta.url);const __filename=gbuildPath(import.meta.url);const __dirname=gbuildPath(new URL('.',import.meta.url));",
  },
  define: { GBUILD_BUILD: JSON.stringify(digestOfSources()) },
  logLevel: 'warning',
};

/** Number of commands that must need a module before it goes into their shared file. */
const enoughCommands = 10;

/**
 * The bundler puts modules into one file where the same entries reach them. A command was then some fifty files, and
 * linking them took a fifth of its start. Here commands, and their later imports, begin with the modules that most of
 * them need, which gives one file. Commands that need few of these are left alone.
 */
function shareCommonCode({ inputs }) {
  const importsOf = (path, kind) =>
    (inputs[path]?.imports ?? []).filter((each) => each.kind === kind).map((each) => each.path);
  const reach = (entry) => {
    const reached = new Set([entry]);
    for (const path of reached) for (const next of importsOf(path, 'import-statement')) reached.add(next);
    return reached;
  };
  const closures = commands.map(reach);
  const isCommon = (path) =>
    path.startsWith('src/') && closures.filter((closure) => closure.has(path)).length >= enoughCommands;
  const common = Object.keys(inputs).filter(isCommon);
  const needsMuch = (entry) => common.filter((path) => reach(entry).has(path)).length > common.length / 3;
  const later = Object.keys(inputs).flatMap((path) => importsOf(path, 'dynamic-import'));
  const entries = new Set([...commands.filter(needsMuch), ...later].map((path) => `${root}${path}`));
  return {
    name: 'share-common-code',
    setup(builder) {
      builder.onResolve({ filter: /^gbuild:common$/ }, ({ path }) => ({ path, namespace: 'common' }));
      builder.onLoad({ filter: /.*/, namespace: 'common' }, () => ({
        contents: common.map((path) => `import ${JSON.stringify(`./${path}`)};`).join('\n'),
        resolveDir: root,
      }));
      builder.onLoad({ filter: /\.ts$/ }, ({ path }) =>
        entries.has(path)
          ? { contents: `import 'gbuild:common';\n${takeBuiltins(readFileSync(path, 'utf8'))}`, loader: 'ts' }
          : undefined,
      );
    },
  };
}

// The manifest is written last and removed first: its presence means that the build is complete.
rmSync(`${root}oclif.manifest.json`, { force: true });
rmSync(`${root}dist`, { recursive: true, force: true });
const first = await build({ ...options, write: false });
const { metafile } = await build({ ...options, plugins: [shareCommonCode(first.metafile), ...options.plugins] });

function digestOfSources() {
  const hash = createHash('sha256');
  for (const file of readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' }).sort()) {
    if (file.endsWith('.ts')) hash.update(`${file}\n`).update(readFileSync(`${root}src/${file}`));
  }
  return hash.digest('hex').slice(0, 16);
}

// Everything is bundled, so the licences of the bundled packages are shipped too.
const bundled = new Set(
  Object.keys(metafile.inputs).flatMap((input) => input.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? []),
);
const notices = [...bundled].sort().map((folder) => {
  const { name, version, license } = JSON.parse(readFileSync(`${root}${folder}/package.json`, 'utf8'));
  const file = readdirSync(`${root}${folder}`).find((each) => /^(licen[cs]e|copying)/i.test(each));
  const text = file === undefined ? '' : readFileSync(`${root}${folder}/${file}`, 'utf8').trim();
  return `${name} ${version} (${license})\n\n${text}\n`;
});
writeFileSync(`${root}dist/third-party-licences.txt`, notices.join(`\n${'-'.repeat(80)}\n\n`));

const { Config, Help, Plugin } = await import('@oclif/core');
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const plugin = new Plugin({ root, ignoreManifest: true, errorOnManifestCreate: true, respectNoCacheDefault: true });
await plugin.load();
writeFileSync(`${root}oclif.manifest.json`, `${JSON.stringify({ ...plugin.manifest, version })}\n`);

/** Help that returns its text instead of printing it. */
class PrintedHelp extends Help {
  text = '';
  log(...lines) {
    this.text += `${lines.join(' ')}\n`;
  }
}

// Help is the same text at every start: it is written here, and bin/run.js prints it without loading oclif.
mkdirSync(`${root}dist/help`, { recursive: true });
const config = await Config.load({ root });
for (const id of ['', ...config.commandIDs]) {
  const help = new PrintedHelp(config, { stripAnsi: true });
  await help.showHelp(id === '' ? [] : [id]);
  const text = help.text.replace(/^VERSION\n.*\n\n/m, '');
  writeFileSync(`${root}dist/help/${id === '' ? 'index' : id.replaceAll(':', '-')}.txt`, text);
}

// The catalog is parsed here once, so that the first run of a machine loads no YAML parser and no schema library for
// it.
const home = mkdtempSync(join(tmpdir(), 'gbuild-build-'));
try {
  const env = { PATH: process.env.PATH, HOME: home, XDG_CACHE_HOME: home, XDG_CONFIG_HOME: home };
  execFileSync(process.execPath, [`${root}bin/run.js`, 'toolchain', 'ls', '--available'], {
    cwd: home,
    env,
    stdio: 'pipe',
  });
  cpSync(`${home}/gbuild/parsed`, `${root}dist/parsed`, { recursive: true });
  for (const name of readdirSync(`${root}dist/parsed`)) chmodSync(`${root}dist/parsed/${name}`, 0o644);
} finally {
  rmSync(home, { recursive: true, force: true });
}
