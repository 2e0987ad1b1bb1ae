// Bundles the program into dist/groundwork.js, so that it starts in a fraction of the time that loading its
// packages one by one would take, and runs React's production build.
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

await build({
  absWorkingDir: root,
  entryPoints: ['source/cli.tsx'],
  outfile: 'dist/groundwork.js',
  bundle: true,
  platform: 'node',
  target: 'node26',
  format: 'esm',
  jsx: 'automatic',
  sourcemap: 'linked',
  legalComments: 'none',
  logLevel: 'warning',
  define: {'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"'},
  // ssh2 asks for both in a try block and goes on with Node's own crypto.
  external: ['cpu-features', './crypto/build/Release/sshcrypto.node'],
  loader: {'.node': 'empty'},
  alias: {'react-devtools-core': './bin/no-devtools.mjs'},
  // What CommonJS packages in the bundle take for granted.
  banner: {
    js: [
      "import {createRequire as __createRequire} from 'node:module';",
      'const require = __createRequire(import.meta.url);',
      'const __dirname = import.meta.dirname;',
      'const __filename = import.meta.filename;',
    ].join('\n'),
  },
});
