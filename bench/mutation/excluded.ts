/**
 * Which code is not mutated, by rule: what runs only when the switch of a known-wrong variant is on
 * (docs/detection.md is about those), and the text of errors that are thrown.
 *
 * A switch is read as `switches["..."]`. With all switches off each read is false; what follows from
 * that is worked out here over names, negations, `&&` and `||`, and no further: code that a variant reaches
 * in another way is mutated, and survives. The nodes are Babel's, of the instrumenter.
 */

/** The parts of Babel's nodes that are looked at. */
export interface Node {
  readonly type: string;
  readonly name?: string;
  readonly operator?: string;
  readonly computed?: boolean;
  readonly object?: Node;
  readonly property?: Node;
  readonly id?: Node;
  readonly argument?: Node;
  readonly left?: Node;
  readonly right?: Node;
  readonly test?: Node;
  readonly consequent?: Node;
  readonly alternate?: Node | null;
  readonly init?: Node | null;
}

interface Binding {
  readonly constant: boolean;
  readonly path: Path;
  readonly referencePaths: readonly Path[];
}

/** A place in the tree, as Babel's traversal gives it. */
export interface Path {
  readonly node: Node;
  readonly key: string | number | null;
  readonly parentPath: Path | null;
  readonly scope: { getBinding(name: string): Binding | undefined };
}

const VARIANT = "runs only when the switch of a known-wrong variant is on";
const TEXT = "the text of an error";

export const EXCLUDE = {
  /** The reason why nothing in this place is mutated; undefined: it is. */
  shouldIgnore(path: Path): string | undefined {
    if (offValue(path.node, path) !== undefined || isDead(path) || isUncalled(path)) return VARIANT;
    const { type } = path.node;
    if ((type === "StringLiteral" || type === "TemplateLiteral") && isThrown(path)) return TEXT;
    return undefined;
  },
};

function isSwitchRead(node: Node): boolean {
  if (node.type !== "MemberExpression" || node.property?.type !== "StringLiteral") return false;
  const { object } = node;
  const last = object?.type === "MemberExpression" ? object.property : object;
  return last?.name === "switches" || last?.id?.name === "switches";
}

/** What an expression is when all switches are off; undefined: that depends on more. */
function offValue(node: Node, path: Path): boolean | undefined {
  if (isSwitchRead(node)) return false;
  if (node.type === "UnaryExpression" && node.operator === "!") {
    const value = offValue(node.argument as Node, path);
    return value === undefined ? undefined : !value;
  }
  if (node.type === "LogicalExpression" && (node.operator === "&&" || node.operator === "||")) {
    const left = offValue(node.left as Node, path);
    const right = offValue(node.right as Node, path);
    const decides = node.operator === "||";
    if (left === decides || right === decides) return decides;
    return left === undefined || right === undefined ? undefined : !decides;
  }
  if (node.type === "Identifier" && node.name !== undefined) {
    const binding = path.scope.getBinding(node.name);
    const declared = binding?.path.node;
    if (binding?.constant !== true || declared?.type !== "VariableDeclarator") return undefined;
    const simple = declared.id?.type === "Identifier" && declared.init != null;
    return simple ? offValue(declared.init as Node, binding.path) : undefined;
  }
  return undefined;
}

/** Whether a condition right above says that this is not evaluated. */
function isDeadBranch({ node, parentPath: parent }: Path): boolean {
  if (parent === null) return false;
  const { type, test, consequent, alternate, left, right, operator } = parent.node;
  if (type === "IfStatement" || type === "ConditionalExpression") {
    const value = offValue(test as Node, parent);
    return (node === consequent && value === false) || (node === alternate && value === true);
  }
  if (type !== "LogicalExpression" || node !== right) return false;
  const value = offValue(left as Node, parent);
  return operator === "&&" ? value === false : operator === "||" && value === true;
}

function isDead(path: Path): boolean {
  for (let at: Path | null = path; at !== null; at = at.parentPath) {
    if (isDeadBranch(at)) return true;
  }
  return false;
}

/** Whether this is a function of the file that only dead code of the file calls. */
function isUncalled(path: Path): boolean {
  const { node, parentPath: parent, scope } = path;
  if (node.type !== "FunctionDeclaration" || parent?.node.type !== "Program") return false;
  const calls = scope.getBinding(node.id?.name ?? "")?.referencePaths ?? [];
  return calls.length > 0 && calls.every(isDead);
}

function isThrown(path: Path): boolean {
  for (let at = path.parentPath; at !== null; at = at.parentPath) {
    if (at.node.type === "ThrowStatement") return true;
    if (/Function|Method/.test(at.node.type)) return false;
  }
  return false;
}
