/**
 * What takes the place of `vitest` in the bundle: collects the tests of the files instead of running
 * them, with Vitest's own `expect`. Only what the tests of the judge use is here.
 */
import { JestAsymmetricMatchers, JestChaiExpect, JestExtend } from "@vitest/expect";
import * as chai from "chai";

export interface CollectedTest {
  /** From the project's root. */
  readonly file: string;
  readonly name: string;
  readonly run: () => unknown;
}

type Body = (...words: unknown[]) => unknown;
type Declare = (name: string, body: Body) => void;

export const TESTS: CollectedTest[] = [];
let file = "";
let prefix = "";

/** The tests that follow are of this file. */
export function enterFile(path: string): void {
  file = path;
}

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);
export const expect = chai.expect;

function declareSuite(name: string, body: Body): void {
  const outer = prefix;
  prefix = `${outer}${name} > `;
  body();
  prefix = outer;
}

function declareTest(name: string, body: Body): void {
  TESTS.push({ file, name: prefix + name, run: body });
}

function withEach(declare: Declare) {
  const each = (cases: readonly unknown[]) => (name: string, body: Body) => {
    cases.forEach((one, i) => {
      const words = Array.isArray(one) ? one : [one];
      declare(`${name} ${i + 1}`, () => body(...words));
    });
  };
  return Object.assign(declare, { each });
}

export const describe = withEach(declareSuite);
export const it = withEach(declareTest);
export const test = it;
