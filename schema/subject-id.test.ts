import { describe, expect, it } from '@jest/globals';
import { sandboxBytes } from './keys.ts';
import { createSubjectIds } from './subject-id.ts';

const first = new Map([[1, sandboxBytes('subject', 64)]]);
const ids = createSubjectIds(first);
const CITIZEN = '120101190001010016';

describe('SubjectId', () => {
  it('holds the code of an organisation, and tells a sole trader by it', () => {
    expect(ids.open(ids.ofOrganisation('91120101MA9TYN016Y'))).toMatchObject({
      kind: 'ORGANISATION',
      code: '91120101MA9TYN016Y',
    });
    expect(ids.open(ids.ofOrganisation('92120104MA9TYN032W'))).toMatchObject({ kind: 'SOLE_TRADER' });
  });

  it('hides the ID number of a person, equal persons having equal ids', () => {
    const id = ids.ofPerson(CITIZEN);
    expect(id).toBe(ids.ofPerson(CITIZEN));
    expect(id).not.toContain('1201011900');
    expect(Buffer.from(id.slice(3), 'base64url').toString('latin1')).not.toContain('1201011900');
    expect(ids.open(id)).toMatchObject({ kind: 'NATURAL_PERSON', citizenId: CITIZEN });
  });

  it('opens what an older key sealed, and nothing of another platform’s', () => {
    const both = createSubjectIds(new Map([...first, [2, sandboxBytes('newer', 64)]]));
    expect(both.open(ids.ofPerson(CITIZEN))).toMatchObject({ citizenId: CITIZEN });
    expect(both.ofPerson(CITIZEN)).not.toBe(ids.ofPerson(CITIZEN));
    expect(ids.open(both.ofPerson(CITIZEN))).toBeNull();
  });

  it.each(['', 'O-', 'O-1234', 'P1-', 'P1-AAAA', 'P9-AAAA', 'x'])('takes %p for no id', (text) => {
    expect(ids.open(text)).toBeNull();
  });

  it('never lets an id pass for a sealed identity, or the reverse', () => {
    const sealed = ids.sealIdentity({ name: '张测试', citizenId: CITIZEN });
    expect(ids.openIdentity(sealed)).toEqual({ name: '张测试', citizenId: CITIZEN });
    expect(ids.open(sealed)).toBeNull();
    expect(ids.openIdentity(ids.ofPerson(CITIZEN))).toBeNull();
  });
});
