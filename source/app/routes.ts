/** The screens in the order of the walk. The first and the last two are no steps of the wizard that one is led through. */
export const routes = [
  'home',
  'topology',
  'hosts',
  'domain',
  'channels',
  'components',
  'environments',
  'review',
  'run',
  'done',
] as const;

export type RouteId = (typeof routes)[number];

export const titles: Readonly<Record<RouteId, string>> = {
  home: 'Home',
  topology: 'Blueprint and topology',
  hosts: 'Hosts',
  domain: 'Domain and TLS',
  channels: 'Channels',
  components: 'Components',
  environments: 'Environments',
  review: 'Review',
  run: 'Run',
  done: 'Done',
};

/** Those that ask for answers: `Step 3 of 7`. */
export const wizardRoutes: readonly RouteId[] = [
  'topology',
  'hosts',
  'domain',
  'channels',
  'components',
  'environments',
  'review',
];

export const isRoute = (text: string | undefined): text is RouteId => routes.some(route => route === text);

/** Where one goes on after leaving at this screen: a run is resumed from Home, not by opening its screen. */
export const resumeRoute = (route: string | undefined): RouteId =>
  isRoute(route) && wizardRoutes.includes(route) ? route : 'topology';

export const nextRoute = (route: RouteId): RouteId =>
  routes[Math.min(routes.indexOf(route) + 1, routes.length - 1)] ?? route;

/** Back from a run's end is Home; back from the first question too. */
export const previousRoute = (route: RouteId): RouteId =>
  route === 'done' ? 'home' : (routes[Math.max(routes.indexOf(route) - 1, 0)] ?? 'home');

/** The screen on which each part of a deployment is answered; its name is on Review. */
const screenOf: Readonly<Record<string, RouteId>> = {
  blueprint: 'topology',
  topology: 'topology',
  hosts: 'hosts',
  acceptedChecks: 'hosts',
  domain: 'domain',
  tls: 'domain',
  channels: 'channels',
  network: 'channels',
  components: 'components',
  artifacts: 'components',
  environments: 'environments',
};

/** The first screen of the walk that has something to be put right, by the paths of what is wrong; Review if none has. */
export const firstRouteWith = (paths: readonly string[]): RouteId => {
  const wrong = paths.map(path => screenOf[/^\w*/.exec(path)?.[0] ?? ''] ?? 'review');
  return wizardRoutes.find(route => wrong.includes(route)) ?? 'review';
};
