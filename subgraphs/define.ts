/**
 * What a department is. A department's folder exports one `defineSubgraph({...})`; schema.graphql and catalogue.yaml lie
 * beside it and are found by their names (see discover.ts), as is the folder itself: there is no list to edit.
 */
import type { GraphQLFieldResolver } from 'graphql';
import type { Logger } from 'pino';
import type { z } from 'zod';
import type { CallContext } from '../adapters/adapter.ts';
import type { Clock } from '../adapters/clock.ts';
import type { CallObserver } from '../adapters/resilient.ts';
import type { DepartmentCatalogue } from '../schema/catalogue.ts';
import type { Principal } from '../schema/principal.ts';
import type { SubjectIds } from '../schema/subject-id.ts';
import type { AnnounceChange } from './announcements.ts';

export interface DepartmentObserver extends CallObserver {
  /** Rows that a system answered for a subject nobody asked about: dropped, counted, never shown. */
  foreignRows(system: string, count: number): void;
  /** Records that were set aside with their reason. */
  quarantined(system: string, count: number): void;
}

/** What a department is given once, when it is connected. */
export interface ConnectContext<Settings> {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly observer: DepartmentObserver;
  readonly log: Logger;
  readonly catalogue: DepartmentCatalogue;
  readonly subjectIds: SubjectIds;
  /** Tells every gateway that what it keeps of these subjects is out of date. */
  readonly announce: AnnounceChange;
}

/** What a department's loaders and resolvers are given for one request. */
export interface RequestScope {
  readonly principal: Principal;
  readonly clock: Clock;
  readonly catalogue: DepartmentCatalogue;
  readonly subjectIds: SubjectIds;
  /** The limit of a legacy call made now: what is left of the request's deadline, at most the soft deadline. */
  readonly call: CallContext;
  /**
   * Says for how many seconds the gateway may keep what was said about this subject; the least wins, silence is 0. After
   * `longest`, as many as `seconds` when left out, it may not even stand in for a fresh answer.
   */
  mayCache(subjectId: string, seconds: number, longest?: number): void;
  /** Says what was read of this subject: that it is other than before is announced to the gateways. */
  noteRead(subjectId: string, read: unknown): void;
}

/** Resolver context: the request's scope and the department's own loaders. */
export interface ResolverContext<Loaders> extends RequestScope {
  readonly loaders: Loaders;
}

type Resolver<Loaders> = GraphQLFieldResolver<never, ResolverContext<Loaders>, never, unknown>;
export type Resolvers<Loaders> = Readonly<Record<string, Readonly<Record<string, Resolver<Loaders>>>>>;

/** A connection that is opened once per process and closed on shutdown. */
export interface Source {
  close(): Promise<void>;
}

export interface DepartmentManifest<Settings, S extends Source, Loaders> {
  /** The folder's name, the subgraph's name and the segment of its URL. */
  readonly name: string;
  readonly owner: { readonly zh: string; readonly en: string };
  /** Name of the legacy system, as `source.system` shows it. */
  readonly system: string;
  /**
   * Read from the environment: `JINXIN_<NAME>_<KEY>` becomes `key` in camel case (JINXIN_TAX_SFTP_URL → sftpUrl), and
   * JINXIN_PLATFORM_URL (the platform's PostgreSQL) and JINXIN_ENVIRONMENT are there for every department as `platformUrl`
   * and `environment`.
   */
  readonly settings: z.ZodType<Settings>;
  /** Opens the department's systems. It must not wait for a legacy system that is down: that costs its own block only. */
  connect(context: ConnectContext<Settings>): Promise<S>;
  /** DataLoaders over the source, made anew for each request. */
  loaders(source: S, scope: RequestScope): Loaders;
  readonly resolvers: Resolvers<Loaders>;
}

/** A manifest whose own types are sealed inside: what the runner needs to know. */
export interface Subgraph {
  readonly name: string;
  readonly owner: { readonly zh: string; readonly en: string };
  readonly system: string;
  readonly resolvers: Resolvers<unknown>;
  connect(
    context: Omit<ConnectContext<unknown>, 'settings'>,
    environment: Settings,
  ): Promise<ConnectedSubgraph>;
}

export interface ConnectedSubgraph extends Source {
  loaders(scope: RequestScope): unknown;
}

/** Raw settings of one department, camel case key → text. */
export type Settings = Readonly<Record<string, string>>;

export class SettingsError extends Error {
  constructor(name: string, problems: readonly string[]) {
    super(`department ${name} is not configured:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'SettingsError';
  }
}

export function defineSubgraph<Settings, S extends Source, Loaders>(
  manifest: DepartmentManifest<Settings, S, Loaders>,
): Subgraph {
  return {
    name: manifest.name,
    owner: manifest.owner,
    system: manifest.system,
    resolvers: manifest.resolvers as unknown as Resolvers<unknown>,
    async connect(context, environment) {
      const parsed = manifest.settings.safeParse(environment);
      if (!parsed.success) {
        const problems = parsed.error.issues.map(
          ({ path, message }) => `${toVariable(manifest.name, path.join('_'))}: ${message}`,
        );
        throw new SettingsError(manifest.name, problems);
      }
      const source = await manifest.connect({ ...context, settings: parsed.data });
      return { loaders: (scope) => manifest.loaders(source, scope), close: () => source.close() };
    },
  };
}

const SHARED = { platformUrl: 'JINXIN_PLATFORM_URL', environment: 'JINXIN_ENVIRONMENT' } as const;

/** `environment` → the settings of one department (see DepartmentManifest.settings). */
export function toSettings(
  name: string,
  environment: Readonly<Record<string, string | undefined>>,
): Settings {
  const prefix = toVariable(name, '');
  const settings: Record<string, string> = {};
  for (const [variable, value] of Object.entries(environment)) {
    if (value === undefined) continue;
    if (!variable.startsWith(prefix)) continue;
    const key = variable.slice(prefix.length).toLowerCase();
    settings[key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())] = value;
  }
  // Last, so that no department's own variable can say that production is not production.
  for (const [key, variable] of Object.entries(SHARED))
    if (environment[variable] !== undefined) settings[key] = environment[variable];
  return settings;
}

function toVariable(name: string, key: string): string {
  const snake = key.replace(/[A-Z]/g, (letter) => `_${letter}`);
  return `JINXIN_${name.replaceAll('-', '_')}_${snake}`.toUpperCase();
}
