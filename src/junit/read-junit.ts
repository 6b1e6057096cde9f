import sax from 'sax';

/** Test case of a report: its declared origins, the most exact first, and its time. */
export interface TestCase {
  from: string[];
  seconds: number;
}

/** Report in JUnit's XML, which has no standard: a root `testsuites` or `testsuite` with `testcase`s below it. */
export interface JUnitReport {
  cases: TestCase[];
  failures: number;
  errors: number;
  skipped: number;
  /** Content below a root `testsuites`, or a root `testsuite` whole, unchanged. */
  content: string;
}

interface Element {
  name: string;
  attributes: Record<string, string>;
}

const counted = { failure: 'failures', error: 'errors', skipped: 'skipped' } as const;

/** Parses a report; undefined for other XML, and for a report that cannot be merged into another document. */
export function parseJUnit(xml: string): JUnitReport | undefined {
  const parser = sax.parser(true, { position: true });
  const report: JUnitReport = { cases: [], failures: 0, errors: 0, skipped: 0, content: '' };
  const open: Element[] = [];
  let [from, to] = [0, 0];
  let isOurs = true;
  let isWhole = false;
  parser.onerror = () => {
    isOurs = false;
    parser.resume();
  };
  // A report's own entities would be undefined in another document.
  parser.ondoctype = () => {
    isOurs = false;
  };
  parser.onopentag = ({ name, attributes }) => {
    const element = { name, attributes: attributes as Record<string, string> };
    if (open.length === 0) {
      isOurs &&= name === 'testsuites' || name === 'testsuite';
      from = name === 'testsuites' ? parser.position : parser.startTagPosition - 1;
    }
    if (name === 'testcase') report.cases.push(readCase(element, open.at(-1)));
    else if (name in counted && open.at(-1)?.name === 'testcase') report[counted[name as keyof typeof counted]] += 1;
    open.push(element);
  };
  parser.onclosetag = (name) => {
    open.pop();
    if (open.length > 0) return;
    isWhole = true;
    to = name === 'testsuites' ? parser.startTagPosition - 1 : parser.position;
  };
  const text = xml.replace(/^\ufeff/, '');
  parser.write(text).close();
  // A root without content ends at its start.
  return isOurs && isWhole ? { ...report, content: text.slice(from, Math.max(from, to)) } : undefined;
}

function readCase({ attributes }: Element, suite: Element | undefined): TestCase {
  const { file, classname, time } = attributes;
  const { file: suiteFile, filepath, name } = suite?.name === 'testsuite' ? suite.attributes : {};
  const from = [file, suiteFile, filepath, classname, name].filter((each) => each !== undefined && each !== '');
  const seconds = Number(time?.replaceAll(',', ''));
  return { from: from as string[], seconds: Number.isFinite(seconds) && seconds > 0 ? seconds : 0 };
}
