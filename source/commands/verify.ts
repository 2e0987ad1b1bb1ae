import {controlBySignals} from './carry-out.ts';
import type {Command} from './command.ts';
import {exit, exitOf} from './exit.ts';
import {deploymentOptions, load, outputForm, outputOptions} from './inputs.ts';
import {verifyOperation} from './operations.ts';
import {complain, reporterFor} from './report.ts';

export const verify: Command = {
  name: 'verify',
  summary: 'prove that every step does its work; changes nothing',
  description: [
    'Asks the installed tools themselves (wg, nginx, dig, openssl, ufw, the NFS server) and says what',
    'is not as it should be.',
  ],
  words: [],
  options: {...deploymentOptions, ...outputOptions},
  examples: ['groundwork verify --deployment sandbox', 'groundwork verify --output jsonl'],
  run: async (invocation, world) => {
    const form = outputForm(invocation);
    if (!form.ok) return complain(world, form.error, exit.usage);
    const loaded = await load(invocation, world);
    if (!loaded.ok) return complain(world, loaded.error, exit.usage);
    const reporter = reporterFor(world, form.value);
    const {control, end} = controlBySignals(world);
    const result = await verifyOperation(loaded.value.site, loaded.value.deployment, reporter.event, control.signal);
    end();
    if (result.outcome === 'succeeded') return exit.done;
    if (result.outcome === 'stopped') return exit.stopped;
    const [first] = result.failures;
    return first ? exitOf(first) : exit.failed;
  },
};
