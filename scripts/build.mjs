// Bundles src/ into dist/ (one entry a command, shared chunks) and writes oclif's manifest, so that a start loads only
// what its command needs.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { build } from 'esbuild';

process.env.OCLIF_COLUMNS = '100';

const root = new URL('..', import.meta.url).pathname;
const notCommands = new Set(['base', 'completion-script', 'read-host', 'report-error', 'stop', 'task-command']);
const commands = readdirSync(`${root}src/commands`, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !notCommands.has(basename(file, '.ts')))
  .map((file) => `src/commands/${file}`);

/** Native add-ons and the ssh client of docker-modem: never used, must not be loaded nor shipped. */
const withoutSsh = {
  name: 'without-ssh',
  setup(builder) {
    builder.onResolve({ filter: /^(ssh2|cpu-features)$/ }, () => ({ path: 'absent', namespace: 'absent' }));
    builder.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'module.exports = {};' }));
  },
};

rmSync(`${root}dist`, { recursive: true, force: true });
await build({
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
  plugins: [withoutSsh],
  banner: {
    js: "import{createRequire as gbuildRequire}from'node:module';import{fileURLToPath as gbuildPath}from'node:url';const require=gbuildRequire(import.meta.url);const __filename=gbuildPath(import.meta.url);const __dirname=gbuildPath(new URL('.',import.meta.url));",
  },
  logLevel: 'warning',
});

rmSync(`${root}oclif.manifest.json`, { force: true });
const { Config, Help, Plugin } = await import('@oclif/core');
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const plugin = new Plugin({ root, ignoreManifest: true, errorOnManifestCreate: true, respectNoCacheDefault: true });
await plugin.load();
writeFileSync(`${root}oclif.manifest.json`, `${JSON.stringify({ ...plugin.manifest, version })}\n`);

/** Help that answers its text instead of printing it. */
class PrintedHelp extends Help {
  text = '';
  log(...lines) {
    this.text += `${lines.join(' ')}\n`;
  }
}

// Help is the same text at every start: it is written here, and the way in (bin/run.js) prints it without loading oclif.
mkdirSync(`${root}dist/help`);
const config = await Config.load({ root });
for (const id of ['', ...config.commandIDs]) {
  const help = new PrintedHelp(config, { stripAnsi: true });
  await help.showHelp(id === '' ? [] : [id]);
  const text = help.text.replace(/^VERSION\n.*\n\n/m, '');
  writeFileSync(`${root}dist/help/${id === '' ? 'index' : id.replaceAll(':', '-')}.txt`, text);
}
