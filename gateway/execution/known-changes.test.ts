import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { changesAbout, toChangeName } from '../../schema/changes.ts';
import { createKnownChanges } from './known-changes.ts';

const subject = fc.constantFrom('a', 'b', 'c');
const department = fc.constantFrom('tax', 'courts');
const change = fc
  .record({ subject: fc.option(subject), department: fc.option(department) })
  .filter((one) => one.subject !== null || one.department !== null);
const announcements = fc
  .array(fc.array(change, { minLength: 1, maxLength: 4 }), { maxLength: 12 })
  .map((all) => all.map((changes, at) => ({ position: at + 1, names: changes.map(toChangeName) })));

describe('changes that are known', () => {
  it('are the same whatever is read twice, late or again, and only ever take more away', () => {
    fc.assert(
      fc.property(
        announcements,
        fc.array(fc.nat(11), { maxLength: 40 }),
        subject,
        department,
        fc.nat(12),
        (all, order, about, of, stamp) => {
          const inOrder = createKnownChanges(() => 0);
          inOrder.take({ changes: all, position: all.length }, 0);
          const anyhow = createKnownChanges(() => 0);
          let wasCurrent = true;
          for (const at of order) {
            // An old copy of the store answers with what it has, and with its own position.
            anyhow.take({ changes: all.slice(0, at), position: Math.min(at, all.length) }, 0);
            const isCurrent = anyhow.isCurrent(of, about, stamp);
            expect(isCurrent && !wasCurrent).toBe(false);
            wasCurrent = isCurrent;
          }
          anyhow.take({ changes: all, position: all.length }, 0);
          expect(anyhow.isCurrent(of, about, stamp)).toBe(inOrder.isCurrent(of, about, stamp));
          expect(anyhow.position()).toBe(all.length);
          const names = changesAbout(of, about);
          const later = all.some(
            ({ position, names: told }) => position > stamp && told.some((name) => names.includes(name)),
          );
          expect(inOrder.isCurrent(of, about, stamp)).toBe(!later);
        },
      ),
    );
  });

  it('that are forgotten for want of room take everything before them away', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 10 }),
        fc.array(fc.nat(30), { maxLength: 60 }),
        fc.nat(60),
        (room, ids, stamp) => {
          const small = createKnownChanges(() => 0, room);
          const large = createKnownChanges(() => 0);
          ids.forEach((id, at) => {
            const read = { changes: [{ position: at + 1, names: [`tax s${id}`] }], position: at + 1 };
            for (const known of [small, large]) known.take(read, 0);
          });
          for (let id = 0; id <= 30; id++)
            if (small.isCurrent('tax', `s${id}`, stamp))
              expect(large.isCurrent('tax', `s${id}`, stamp)).toBe(true);
        },
      ),
    );
  });
});
