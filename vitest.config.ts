import {availableParallelism} from 'node:os';
import {defineConfig} from 'vitest/config';

const node = (name: string, include: string[], more: Record<string, unknown> = {}) => ({
  // A machine that runs CI beside other work may be too slow for one try; at the keyboard every failure shows.
  test: {name, include, environment: 'node' as const, retry: process.env.CI ? 1 : 0, ...more},
});

/**
 * Six suites, from the cheapest to the dearest. `npm test` runs the first three; the lab suite needs root
 * and the lab beside the checkout, and takes its hosts one file at a time because they share one machine. So does the
 * kube suite with the Kubernetes beside the checkout.
 */
export default defineConfig({
  test: {
    // Most tests wait for shells, sockets and screens; one worker less than the cores would leave a small machine idle.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    projects: [
      node('unit', ['test/**/*.test.ts'], {
        exclude: ['test/e2e/**', 'test/lab/**', 'test/kube/**', 'test/rehearsal/**'],
        testTimeout: 20_000,
      }),
      node('screens', ['test/**/*.test.tsx'], {exclude: ['test/e2e/**', 'test/lab/**'], testTimeout: 20_000}),
      node('e2e', ['test/e2e/**/*.test.ts'], {testTimeout: 120_000, hookTimeout: 120_000}),
      node('rehearsal', ['test/rehearsal/**/*.test.ts'], {testTimeout: 120_000}),
      node('lab', ['test/lab/**/*.test.ts'], {
        testTimeout: 600_000,
        hookTimeout: 300_000,
        fileParallelism: false,
      }),
      node('kube', ['test/kube/**/*.test.ts'], {
        testTimeout: 300_000,
        hookTimeout: 600_000,
        fileParallelism: false,
      }),
    ],
  },
});
