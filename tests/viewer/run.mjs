// SPDX-License-Identifier: MIT
// Bundles the TypeScript tests of a folder and runs them with Node's own test runner.
//
//   node tests/viewer/run.mjs FOLDER [--junit FILE] [--parallel N] [--only PART]
//   node tests/viewer/run.mjs FILE.ts [ARGUMENT...]
//
// FOLDER is tests/viewer (units, no browser) or tests/browser. --only takes the files whose names hold PART. A FILE is run as
// a program: a measurement, or what makes the screenshots.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const modules = join(root, 'static/node_modules');
const { buildSync } = createRequire(join(modules, 'x'))('esbuild');

const [folder, ...more] = process.argv.slice(2);
const option = (name) => (more.includes(name) ? more[more.indexOf(name) + 1] : undefined);
if (!folder) {
  console.error('usage: node run.mjs FOLDER [--junit FILE] [--parallel N] [--only PART]');
  process.exit(64);
}
const isFile = folder.endsWith('.ts');
const files = isFile ? [basename(folder)] : readdirSync(join(root, folder)).filter((name) => name.endsWith('.test.ts') && name.includes(option('--only') ?? ''));
const out = join(root, 'build', folder.replace(/\W+/g, '-'));
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
buildSync({
  absWorkingDir: root,
  entryPoints: files.map((name) => join(root, isFile ? dirname(folder) : folder, name)),
  outdir: out,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node18',
  sourcemap: 'inline',
  external: ['playwright-core', 'axe-core'],
  nodePaths: [modules],
  logLevel: 'warning',
});
if (isFile) {
  const ran = spawnSync(process.execPath, ['--enable-source-maps', join(out, files[0].replace(/\.ts$/, '.cjs')), ...more], { cwd: root, stdio: 'inherit', env: { ...process.env, NODE_PATH: modules } });
  process.exit(ran.status ?? 1);
}
const reporters = ['--test-reporter=spec', '--test-reporter-destination=stdout'];
if (option('--junit')) reporters.push('--test-reporter=junit', `--test-reporter-destination=${option('--junit')}`);
const ran = spawnSync(process.execPath, [
  '--enable-source-maps', '--test', `--test-concurrency=${option('--parallel') ?? 1}`, ...reporters,
  ...files.map((name) => join(out, name.replace(/\.ts$/, '.cjs'))),
], { cwd: root, stdio: 'inherit', env: { ...process.env, NODE_PATH: modules } });
process.exit(ran.status ?? 1);
