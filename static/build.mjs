// SPDX-License-Identifier: MIT
// Bundles the viewer: node build.mjs FOLDER writes first.js, viewer.js, plots.js, viewer.css and licenses.txt there. Nothing
// is fetched; the packages of package-lock.json have to be in node_modules.
import { build } from 'esbuild';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2];
if (!folder) {
  console.error('usage: node build.mjs FOLDER');
  process.exit(64);
}
await build({
  absWorkingDir: here,
  entryPoints: { viewer: join(here, 'src/ui/main.tsx'), plots: join(here, 'src/ui/plot_library.ts') },
  outdir: folder,
  bundle: true,
  splitting: true,
  minify: true,
  format: 'esm',
  target: ['chrome109', 'firefox115', 'safari16'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  banner: { js: '// SPDX-License-Identifier: MIT (this file holds packages of others, see licenses.txt)' },
  logLevel: 'warning',
});
await build({
  absWorkingDir: here,
  entryPoints: { first: join(here, 'src/ui/first.ts') },
  outdir: folder,
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['chrome109', 'firefox115', 'safari16'],
  legalComments: 'none',
  banner: { js: '// SPDX-License-Identifier: MIT' },
  logLevel: 'warning',
});
await build({
  absWorkingDir: here,
  entryPoints: { viewer: join(here, 'viewer.css') },
  outdir: folder,
  bundle: true,
  minify: true,
  legalComments: 'none',
  banner: { css: '/* SPDX-License-Identifier: MIT (see licenses.txt for the part that is uPlot) */' },
  logLevel: 'warning',
});

// What is bundled keeps its licence.
const licenses = ['preact', 'uplot', '@tanstack/virtual-core'].map((name) => {
  const folderOf = join(here, 'node_modules', name);
  const { version } = JSON.parse(readFileSync(join(folderOf, 'package.json'), 'utf8'));
  return `${name} ${version}\n\n${readFileSync(join(folderOf, 'LICENSE'), 'utf8').trim()}\n`;
});
writeFileSync(join(folder, 'licenses.txt'),
  `SPDX-License-Identifier: MIT\n\nThe viewer holds these packages:\n\n${licenses.join('\n----\n\n')}`);
