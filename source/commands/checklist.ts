import {openg2p} from '../blueprints/openg2p.ts';
import {checklistFor} from '../checklist/for-deployment.ts';
import {type Deployment, kubernetes} from '../deployment/schema.ts';
import {isDomainName} from '../network/names.ts';
import {err, ok, type Result} from '../result.ts';
import type {Command, Invocation, World} from './command.ts';
import {exit} from './exit.ts';
import {deploymentOptions, findDeployment} from './inputs.ts';
import {complain} from './report.ts';
import {writeText} from './services.ts';
import {openSite} from './site.ts';

/** The defaults of a topology, for those who have answered nothing yet. */
const planned = (topology: string, domain: string | undefined): Result<Deployment, string> => {
  const known = openg2p.topologies.map(({id}) => id);
  if (!known.includes(topology)) return err(`there is no topology "${topology}"; there is ${known.join(', ')}`);
  if (domain !== undefined && !isDomainName(domain))
    return err(`"${domain}" is no domain name in lower case with at least one dot`);
  const defaults = openg2p.defaults(topology, topology);
  return ok({
    ...defaults,
    ...(domain !== undefined && {domain}),
    components: {...defaults.components, kubernetes: kubernetes.parse({})},
  });
};

const chosen = (invocation: Invocation, world: World): Result<Deployment, string> => {
  const topology = invocation.text('topology');
  const domain = invocation.text('domain');
  const named = invocation.text('deployment');
  if (topology !== undefined && named !== undefined) return err('say --deployment or --topology, not both');
  if (topology !== undefined) return planned(topology, domain);
  if (domain !== undefined) return err('--domain goes with --topology; a deployment has its own');
  const site = openSite(world);
  return site.ok ? findDeployment(site.value, named) : err(site.error.message);
};

export const checklist: Command = {
  name: 'checklist',
  summary: 'what other departments have to provide, as a list to hand over',
  description: [
    'Machines, SSH access, networks, DNS records, certificates and firewall openings: filled with what',
    'the deployment says, and blank where it says nothing yet. Touches no host. With --topology it needs',
    'no deployment at all.',
  ],
  words: [],
  options: {
    deployment: deploymentOptions.deployment,
    topology: {type: 'string', value: 'T', help: 'the list of this topology, before anything was answered'},
    domain: {type: 'string', value: 'DOMAIN', help: 'with --topology: the domain that names lie below'},
    format: {type: 'string', value: 'FORMAT', help: 'text (80 columns, for paper) or markdown; default text'},
    output: {type: 'string', short: 'o', value: 'FILE', help: 'write it to this new file and not to the terminal'},
  },
  examples: [
    'groundwork checklist --topology production-minimum --domain openg2p.example.org',
    'groundwork checklist --deployment prod.yaml --format markdown --output checklist.md',
  ],
  run: async (invocation, world) => {
    const format = invocation.text('format') ?? 'text';
    if (format !== 'text' && format !== 'markdown')
      return complain(world, `--format is text or markdown, not "${format}"`, exit.usage);
    const deployment = chosen(invocation, world);
    if (!deployment.ok) return complain(world, deployment.error, exit.usage);
    const text = checklistFor(deployment.value, format);
    if (!text.ok) return complain(world, text.error, exit.usage);
    const file = invocation.text('output');
    if (file === undefined) {
      world.stdout.write(text.value);
      return exit.done;
    }
    const written = writeText(file, text.value);
    if (!written.ok) return complain(world, written.error, exit.failed);
    world.stdout.write(`Written to ${file}. No secret is in it.\n`);
    return exit.done;
  },
};
