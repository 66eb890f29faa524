/** A scenario, override or failure file that cannot be used: says where, what was expected, what is near. */

export class ScenarioError extends Error {
  readonly file: string;
  /** From 1; null when the place is not in a file. */
  readonly line: number | null;
  /** Path of the field, such as `topics[0].replicationFactor`. */
  readonly field: string;

  constructor(file: string, line: number | null, field: string, message: string) {
    const place = line === null ? file : `${file}:${line}`;
    super(`${place}: ${field === "" ? "" : `${field}: `}${message}`);
    this.name = "ScenarioError";
    this.file = file;
    this.line = line;
    this.field = field;
  }
}
