/**
 * The registers that the gateway itself asks: which consents are in force, whether they still hold as an answer leaves, which
 * break-glass releases are open. In the harness they know exactly what the harness gave.
 */
import type { Asker } from './oracle.ts';

type Arguments = Readonly<Record<string, unknown>>;
type AskerOf = (id: string) => Asker | undefined;

const FAR = '2099-01-01T00:00:00Z';

const REGISTERS: Readonly<Record<string, (args: Arguments, askerOf: AskerOf) => unknown>> = {
  activeConsents(args, askerOf) {
    const asker = askerOf(String(args['consumer']));
    if (!asker || asker.purpose !== args['purpose']) return [];
    return subjectsOf(args).flatMap((subject) => {
      const items = asker.consents[subject];
      if (!items) return [];
      return [
        {
          id: consentId(asker.id, subject),
          subject,
          items,
          writtenItems: items,
          givenBy: 'SELF',
          channel: 'PUBLIC_CREDIT_PLATFORM',
          periodFrom: '1000-01-01',
          periodUntil: '2999-12-31',
          expiresAt: FAR,
        },
      ];
    });
  },
  confirmConsents(args, askerOf) {
    const asker = askerOf(String(args['consumer']));
    const ids = (args['ids'] ?? []) as readonly string[];
    const live = Object.keys(asker?.consents ?? {}).map((subject) => consentId(asker?.id ?? '', subject));
    return {
      held: ids.filter((id) => live.includes(id)),
      refused: ids.filter((id) => !live.includes(id)).map((id) => ({ id, reason: 'REVOKED' })),
    };
  },
  activeBreakGlass(args, askerOf) {
    const asker = askerOf(String(args['consumer']));
    return subjectsOf(args).flatMap((subject) => {
      const items = asker?.releases[subject];
      return items ? [{ id: `release-${subject}`, subject, items, expiresAt: FAR }] : [];
    });
  },
  /** All are alive, of age and registered. */
  subjectStates: () => [],
};

export function isRegisterField(field: string): boolean {
  return Object.hasOwn(REGISTERS, field);
}

export function answerRegister(field: string, args: unknown, askerOf: AskerOf): unknown {
  return REGISTERS[field]?.(args as Arguments, askerOf);
}

function subjectsOf(args: Arguments): readonly string[] {
  return (args['subjects'] ?? []) as readonly string[];
}

function consentId(asker: string, subject: string): string {
  return `consent ${asker} ${subject}`;
}
