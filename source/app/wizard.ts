import type {Deployment} from '../deployment/schema.ts';
import type {SavedDeployment} from '../deployment/store.ts';
import {isDnsLabel} from '../network/names.ts';
import {previousRoute, type RouteId} from './routes.ts';
import type {HostReport, Planned, Services} from './services.ts';
import {createStore, type Store} from './store.ts';
import {suggestFromFacts} from './suggestions.ts';
import {factsIn, type HostActions, hostActions} from './wizard-hosts.ts';

/** What the screens show, beside what they ask the program for. */
export type WizardState = {
  readonly route: RouteId;
  /** The deployment that is being answered for; undefined on Home. */
  readonly deployment: Deployment | undefined;
  /** What was typed where it is no value of the deployment (yet): by field path. */
  readonly texts: Readonly<Record<string, string>>;
  /** What was found out about hosts in this session, by name. */
  readonly reports: Readonly<Record<string, HostReport>>;
  /** Hosts whose roles somebody has decided about: they came with the answers, or the operator chose. */
  readonly decided: readonly string[];
  /** The plan that Review showed last; dropped when an answer changes. */
  readonly planned: Planned | undefined;
  /** What the Run screen is to do when it opens. */
  readonly mode: 'run' | 'verify';
};

/** The answers, kept outside React: every change is saved at once, so that leaving at any moment loses nothing. */
export type Wizard = Store<WizardState> &
  HostActions & {
    readonly begin: (deployment: Deployment, route?: RouteId) => void;
    readonly change: (update: (deployment: Deployment) => Deployment) => void;
    readonly type: (path: string, text: string | undefined) => void;
    readonly go: (route: RouteId) => void;
    readonly back: () => void;
    readonly openRun: (mode: WizardState['mode']) => void;
    readonly report: (report: HostReport) => void;
    readonly forgetReports: (hosts?: readonly string[]) => void;
    readonly plan: (planned: Planned | undefined) => void;
    /**
     * Keeps what was answered where the answer before it has made it moot (the platform's settings once the ground alone is
     * wanted), for when the operator goes back on that.
     */
    readonly setAside: (path: string, answer: unknown) => void;
    /** What was set aside at that path; undefined when nothing was. */
    readonly takeUp: <T>(path: string) => T | undefined;
    /** Gives the deployment another name; the error says why not. */
    readonly rename: (name: string) => string | undefined;
  };

const atHome: WizardState = {
  route: 'home',
  deployment: undefined,
  texts: {},
  reports: {},
  decided: [],
  planned: undefined,
  mode: 'run',
};

export const createWizard = (services: Services, now: () => Date): Wizard => {
  const store = createStore(atHome);
  let aside = new Map<string, unknown>();

  /** What others keep beside the answers (the last run) is taken from where it is kept, not from memory. */
  const save = (): void => {
    const {deployment, route} = store.get();
    if (!deployment) return;
    const kept = savedAs(services, deployment.name);
    services.save({
      deployment,
      updatedAt: now().toISOString(),
      route,
      practice: services.practice,
      ...(kept?.lastRun && {lastRun: kept.lastRun}),
    });
  };

  const update = (part: Partial<WizardState>): void => store.set({...store.get(), ...part});

  /** Checks hold facts against answers, so they are made anew when answers change. */
  const answer = (deployment: Deployment): void => {
    const reports = Object.entries(store.get().reports).map(([host, report]) => [
      host,
      services.recheck(deployment, report),
    ]);
    update({deployment, reports: Object.fromEntries(reports)});
    save();
  };

  const go = (route: RouteId): void => {
    update({route});
    if (route === 'home') store.set(atHome);
    else save();
  };

  const hosts = hostActions({
    services,
    get: store.get,
    keep: ({deployment, reports, decided}) => {
      update({reports, decided, planned: undefined});
      answer(suggestFromFacts(deployment, factsIn(reports), defaultSubnet(services, deployment)));
    },
  });

  return {
    ...store,
    ...hosts,
    begin: (deployment, route = 'topology') => {
      aside = new Map();
      store.set({...atHome, deployment, route, decided: deployment.hosts.map(({name}) => name)});
      save();
    },
    change: updateDeployment => {
      const {deployment} = store.get();
      if (!deployment) return;
      answer(updateDeployment(deployment));
      update({planned: undefined});
    },
    type: (path, text) => {
      const {[path]: _, ...others} = store.get().texts;
      update({texts: text === undefined ? others : {...others, [path]: text}});
    },
    go,
    back: () => go(previousRoute(store.get().route)),
    openRun: mode => {
      update({mode});
      go('run');
    },
    report: report => {
      const {deployment, reports, route} = store.get();
      update({reports: {...reports, [report.host]: report}});
      // Later screens have been answered on the strength of these, and Review makes a plan of them.
      if (deployment && report.state === 'ready' && route === 'hosts') {
        const suggested = suggestFromFacts(
          deployment,
          factsIn(store.get().reports),
          defaultSubnet(services, deployment),
        );
        if (suggested !== deployment) answer(suggested);
      }
    },
    forgetReports: hosts => {
      const {reports} = store.get();
      update({
        reports: hosts ? Object.fromEntries(Object.entries(reports).filter(([host]) => !hosts.includes(host))) : {},
      });
    },
    plan: planned => update({planned}),
    setAside: (path, answer) => {
      aside.set(path, answer);
    },
    takeUp: <T>(path: string) => aside.get(path) as T | undefined,
    rename: name => {
      const {deployment} = store.get();
      if (!deployment || name === deployment.name) return undefined;
      const wrong = renameProblem(services, deployment.name, name);
      if (wrong) return wrong;
      const renamed = services.rename(deployment.name, name);
      if (!renamed.ok) return renamed.error;
      update({deployment: {...deployment, name}});
      save();
      return undefined;
    },
  };
};

const defaultSubnet = (services: Services, {blueprint, name, topology}: Deployment): string | undefined =>
  services.blueprints.find(each => each.id === blueprint)?.defaults(name, topology).network.privateSubnet;

export const savedAs = (services: Services, name: string): SavedDeployment | undefined =>
  services.deployments().find(saved => saved.deployment.name === name);

/** Why a deployment cannot take a name. After a run its secrets and records lie under the old one. */
export const renameProblem = (services: Services, from: string, to: string): string | undefined => {
  if (from === to) return undefined;
  if (!isDnsLabel(to)) return 'lower-case letters, digits and hyphens; at most 63';
  if (savedAs(services, to)) return `there is a deployment "${to}" already`;
  if (savedAs(services, from)?.lastRun) return `it has been installed as "${from}" and keeps that name`;
  return undefined;
};

/** The first free name: `sandbox`, `sandbox-2`, … */
export const freeName = (services: Services, wanted: string): string => {
  const taken = new Set(services.deployments().map(saved => saved.deployment.name));
  let name = wanted;
  for (let number = 2; taken.has(name); number++) name = `${wanted}-${number}`;
  return name;
};
